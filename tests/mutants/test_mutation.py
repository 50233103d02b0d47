"""The mutation helper itself: it restores what it changed, and tells a mutant that no test catches."""

import pytest

from tests.mutation import Mutant, check


def _double(x):
    return 2 * x


class _Base:
    def f(self):
        return 1


class _Derived(_Base):
    def f(self):
        return super().f() + 1


def _four():
    assert _double(2) == 4


def _two():
    assert _Derived().f() == 2


def test_a_mutant_that_is_caught_is_fine_and_is_taken_back():
    check(Mutant("doubling", _double, "2 * x", "3 * x", _four))
    assert _double(2) == 4


def test_methods_that_call_super_can_be_mutated():
    check(Mutant("super", _Derived.f, "+ 1", "+ 2", _two))
    assert _Derived().f() == 2


def test_a_mutant_that_survives_is_an_error():
    with pytest.raises(pytest.fail.Exception, match="stayed green"):
        check(Mutant("harmless", _double, "2 * x", "x * 2", _four))


def test_a_text_that_is_gone_is_an_error():
    with pytest.raises(pytest.fail.Exception, match="0 times"):
        check(Mutant("gone", _double, "5 * x", "x * 2", _four))


def test_a_change_elsewhere_is_applied_by_monkeypatch():
    check(Mutant("patched", lambda patch: patch.setitem(globals(), "_double", lambda x: 0), "", "", _four))
    assert _double(2) == 4
