"""Structures: their leaves in order, and maps that keep their form."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd.trees import is_module, leaves, map_leaves, refill

Point = namedtuple("Point", "x y")


class Module:
    def named_parameters(self):
        yield "a", 1.0
        yield "b", 2.0


TREES = [
    (1.0, [1.0]),
    ([1.0, [2.0, (3.0,)]], [1.0, 2.0, 3.0]),
    ({"b": 1.0, "a": {"c": 2.0}}, [1.0, 2.0]),
    (Point(1.0, [2.0]), [1.0, 2.0]),
    ([], []),
    (None, []),
    ([None, 1.0], [1.0]),
    (np.array([[1.0], [2.0]], dtype=object), [1.0, 2.0]),
    (OrderedDict(a=1.0, b=2.0), [1.0, 2.0]),
    (Module(), [1.0, 2.0]),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_leaves_come_in_order(tree, expected):
    assert list(leaves(tree)) == expected


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_refilling_with_its_own_leaves_gives_the_tree(tree, expected):
    again = refill(tree, iter(expected))
    if isinstance(tree, np.ndarray):
        assert again.tolist() == tree.tolist()
    else:
        assert list(leaves(again)) == expected
        assert isinstance(tree, Module) or again == tree


def test_maps_keep_the_form():
    assert map_leaves(lambda x: x + 1, [1, (2, {"a": 3})]) == [2, (3, {"a": 4})]
    assert type(map_leaves(str, Point(1, 2))) is Point
    assert map_leaves(lambda x: -x, Module()) == {"a": -1.0, "b": -2.0}


def test_an_array_of_numbers_is_a_leaf():
    x = np.ones(3)
    assert next(leaves([x])) is x


def test_an_object_array_of_nodes_stays_one_and_of_numbers_becomes_an_array():
    nodes = map_leaves(ag.Value, np.array([1.0, 2.0], dtype=object))
    assert nodes.dtype == object
    numbers = map_leaves(lambda v: v.data, nodes)
    assert numbers.dtype == float
    assert numbers.tolist() == [1.0, 2.0]


def test_modules_are_known_by_their_named_parameters():
    assert is_module(Module())
    assert not is_module([1.0])
