"""Signatures are NumPy's, and what does not fit one is an error that shows it."""

import re

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.signatures import parse


@pytest.mark.parametrize(
    ("text", "inputs", "outputs"),
    [
        ("()->()", [()], [()]),
        ("(p),(d),()->(),(p)", [("p",), ("d",), ()], [(), ("p",)]),
        (" ( n , 3 ) , (n) -> ( n,3 ) ", [("n", 3), ("n",)], [("n", 3)]),
        ("(batch_2)->(10)", [("batch_2",)], [(10,)]),
    ],
)
def test_a_signature_is_read_as_numpy_reads_it(text, inputs, outputs):
    signature = parse(text)
    assert (list(signature.inputs), list(signature.outputs)) == (inputs, outputs)
    np.vectorize(lambda *xs: xs, signature=re.sub(r"\b\d+\b", "k", text))


@pytest.mark.parametrize(
    "text", ["", "(p", "p->()", "()", "()->", "(p)(d)->()", "(p,)->()", "(p-q)->()", "()->()->()", 3, b"()->()"]
)
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(f"signature={text!r} is not one of NumPy's signatures")):
        parse(text)


def scaled(w, x):
    return w * x


@pytest.mark.parametrize(
    ("signature", "args", "message"),
    [
        ("(p),()->(p)", [[1.0]], "scaled with signature '(p),()->(p)' takes 2 arguments, got 1"),
        ("(p),()->(p)", [[1.0], 1.0, 1.0], "takes 2 arguments, got 3"),
        ("(p),()->(p)", [1.0, 1.0], "argument 0 of scaled has shape (), but the signature '(p),()->(p)' gives it 1 core dimension"),
        ("(p,q),()->(p)", [[1.0], 1.0], "argument 0 of scaled has shape (1,), but the signature '(p,q),()->(p)' gives it 2 core dimensions"),
        ("(p),(p)->(p)", [[1.0, 2.0], [1.0, 2.0, 3.0]], "argument 1 of scaled has shape (3,): its core dimension for 'p' (an earlier argument has 2) must be 2, not 3, by the signature '(p),(p)->(p)'"),
        ("(2),()->(2)", [[1.0, 2.0, 3.0], 1.0], "argument 0 of scaled has shape (3,): its core dimension must be 2, not 3"),
        ("(p),()->()", [[1.0, 2.0], 1.0], "result 0 of scaled has core shape (2,), but the signature '(p),()->()' says ()"),
        ("(p),()->(p,1)", [[1.0, 2.0], 1.0], "result 0 of scaled has core shape (2,), but the signature '(p),()->(p,1)' says (p,1)"),
        ("(p),()->(3)", [[1.0, 2.0], 1.0], "result 0 of scaled has core shape (2,), but the signature '(p),()->(3)' says (3)"),
        ("(p),()->(p),()", [[1.0, 2.0], 1.0], "scaled gave 1 results, but its signature '(p),()->(p),()' names 2"),
        ("(p),(d)->(d)", [[1.0, 2.0], [1.0]], "result 0 of scaled has core shape (2,), but the signature '(p),(d)->(d)' says (d)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_signature(signature, args, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        ag.compile(scaled, signature=signature)(*args)


def test_more_results_than_the_signature_names_are_refused():
    with pytest.raises(ValueError, match=r"gave 2 results, but its signature .* names 1"):
        ag.compile(lambda x: (x, x), signature="()->()")(1.0)


def test_a_size_that_results_name_twice_is_one_size():
    kernel = ag.compile(lambda x: np.array([[x, x, x], [x, x, x]]), signature="()->(q,q)")
    with pytest.raises(
        ValueError, match=r"core shape \(2, 3\), but the signature '\(\)->\(q,q\)' says \(q,q\), with q=2"
    ):
        kernel(1.0)


def test_keyword_arguments_have_no_place_in_a_signature():
    with pytest.raises(TypeError, match=r"takes no keyword arguments, got \['x'\]"):
        ag.compile(scaled, signature="(p),()->(p)")([1.0], x=2.0)


def test_loops_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        ag.compile(scaled, signature="(p),()->(p)")(np.zeros((3, 2)), np.zeros(4))


def test_sizes_may_change_from_call_to_call():
    kernel = ag.compile(lambda x: ag.sum(list(x)), signature="(n)->()")
    for size in (1, 3, 2, 3):
        assert kernel(np.arange(float(size))) == sum(range(size))
    assert kernel(np.ones((4, 5))).tolist() == [5.0] * 4
