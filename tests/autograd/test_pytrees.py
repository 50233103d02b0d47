"""Pytrees: leaves in order, definitions, and maps that keep the structure."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import autograd as ag
from autograd.pytrees import TreeDef, array_def, flatten, is_module, leaves, map_leaves, unflatten_each

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
    again = flatten(tree)[1].unflatten(expected)
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
    assert leaves([x])[0] is x


def test_an_object_array_of_nodes_stays_one_and_of_numbers_becomes_an_array():
    nodes = map_leaves(ag.Value, np.array([1.0, 2.0], dtype=object))
    assert nodes.dtype == object
    numbers = map_leaves(lambda v: v.data, nodes)
    assert numbers.dtype == float
    assert numbers.tolist() == [1.0, 2.0]


def test_modules_are_known_by_their_named_parameters():
    assert is_module(Module())
    assert not is_module([1.0])


class Row(list):
    """A list by another name."""


def test_a_list_of_another_class_is_built_anew_as_such():
    again = map_leaves(lambda x: -x, [Row([1.0, 2.0])])
    assert (type(again[0]), again) == (Row, [[-1.0, -2.0]])
    assert flatten(Row([1.0]))[1] != flatten([1.0])[1]


def test_what_else_is_a_leaf_is_the_callers_to_say():
    tree = [Point(1.0, 2.0), {"a": 3.0}, Module()]
    assert flatten(tree, lambda x: isinstance(x, (Point, Module)))[0] == [tree[0], 3.0, tree[2]]


def test_what_is_static_belongs_to_the_structure():
    static = (str, bool, type(None))
    tree = {"mode": "fast", "on": True, "x": [1.0, None]}
    found, structure = flatten(tree, static=static)
    assert found == [1.0]
    assert structure.unflatten([2.0]) == {"mode": "fast", "on": True, "x": [2.0, None]}
    assert structure == flatten({**tree, "x": [5.0, None]}, static=static)[1]
    for other in ({"mode": "slow"}, {"on": False}, {"on": 1.0}, {"x": [1.0, ""]}):
        assert structure != flatten({**tree, **other}, static=static)[1]


@pytest.mark.parametrize("static", [(type(None),), (bool, type(None))])
def test_a_boolean_is_a_leaf_or_static(static):
    assert flatten(True, static=static)[0] == ([] if bool in static else [True])


def test_the_way_to_every_leaf_is_spelled():
    tree = {"a": [1.0, Point(2.0, None)], 3: np.array([[1.0, [2.0]]], object), "m": Module(), "": ()}
    assert flatten(tree)[1].paths() == ["['a'][0]", "['a'][1].x", "[3][0,0]", "[3][0,1][0]", "['m'].a", "['m'].b"]
    assert flatten(1.0)[1].paths() == [""]


def test_several_structures_share_a_row_of_leaves():
    trees = [1.0, (2.0, [3.0]), [], {"a": 4.0}]
    treedefs = [flatten(tree)[1] for tree in trees]
    assert [treedef.num_leaves for treedef in treedefs] == [1, 2, 0, 1]
    assert unflatten_each(treedefs, iter([1.0, 2.0, 3.0, 4.0])) == trees


class Vector(np.ndarray):
    """An array by another name."""


def test_object_arrays_may_be_made_of_another_class():
    vector = array_def(Vector, (2, 1)).unflatten([1.0, 2.0])
    assert (type(vector), vector.shape, vector.dtype) == (Vector, (2, 1), object)
    assert array_def(Vector, ()) == TreeDef((None,))
    assert type(flatten([vector, 3.0])[1].unflatten([1.0, 2.0, 3.0])[0]) is Vector


# ---- Two trees, paired

Turned = namedtuple("Turned", "y x")

PAIRED = [
    ({"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0}),
    (OrderedDict(a=1.0, b=2.0), {"b": 20.0, "a": 10.0}),
    (defaultdict(list, a=1.0, b=2.0), OrderedDict(b=20.0, a=10.0)),
    ({1: 1.0, "a": 2.0, (None,): 3.0, None: 4.0}, {None: 40.0, (None,): 30.0, "a": 20.0, 1: 10.0}),
    ({"x": [1.0, {"p": 2.0, "q": 3.0}]}, {"x": (10.0, {"q": 30.0, "p": 20.0})}),
    (Point(1.0, 2.0), Point(10.0, 20.0)),
    (Point(1.0, 2.0), [10.0, 20.0]),
    ([1.0, 2.0], (10.0, 20.0)),
    ([1.0, None, 2.0], [10.0, None, 20.0]),
    (Module(), {"b": 20.0, "a": 10.0}),
    ({"b": 2.0, "a": 1.0}, Module()),
    (np.array([1.0, 2.0], dtype=object), np.array([10.0, 20.0])),
    (np.array([[1.0, 2.0]], dtype=object), [[10.0, 20.0]]),
    (np.array([1.0, 2.0], dtype=object), [10.0, 20.0]),
    ([1.0, 2.0], np.array([10.0, 20.0], dtype=object)),
    (np.array(2.0), np.array(20.0)),
    ({}, OrderedDict()),
]


@pytest.mark.parametrize(("tree", "other"), PAIRED)
def test_trees_are_paired_by_key(tree, other):
    mine, structure = flatten(tree)
    theirs = structure.flatten_up_to(other, "other")
    expected = [10.0 * x for x in mine] if not isinstance(other, Module) else [2.0, 1.0]
    assert np.array_equal(theirs, expected)


MISMATCHED = [
    ({"a": 1.0}, {"a": 1.0, "b": 2.0}, "other has 'b', where there is no such key"),
    ({"a": 1.0, "b": 2.0}, {"a": 1.0}, "other has no 'b': its keys are 'a'"),
    ({"a": 1.0}, {"A": 1.0}, "other has no 'a': its keys are 'A'"),
    ({"a": 1.0}, [1.0], "other is a list of 1, where a dict with the keys 'a' belongs"),
    ([1.0], {"a": 1.0}, "other is a dict of 1, where a list of 1 belongs"),
    ([1.0, 2.0], [1.0], "other has 1 part, where there are 2"),
    ([1.0], [1.0, 2.0], "other has 2 parts, where there are 1"),
    ({"a": [1.0, (2.0, 3.0)]}, {"a": [1.0, (2.0,)]}, r"other\['a'\]\[1\] has 1 part, where there are 2"),
    ({"a": {"b": 1.0}}, {"a": 1.0}, r"other\['a'\] is a float, where a dict with the keys 'b' belongs"),
    ({"a": 1.0}, {"a": {"b": 1.0}}, r"other\['a'\] is a dict of 1, where a number or an array belongs"),
    (Point(1.0, [2.0]), Point(1.0, [None]), r"other.y\[0\] is None, where a number or an array belongs"),
    (Point(1.0, 2.0), Turned(1.0, 2.0), "other has the fields 'y', 'x', where 'x', 'y' belong"),
    ([None, 1.0], [0.0, 1.0], r"other\[0\] is a float, where None belongs"),
    (Module(), {"a": 1.0}, "other has no 'b': its keys are 'a'"),
    ([Module()], [{"a": 1.0, "b": {}}], r"other\[0\].b is a dict of 0, where a number or an array belongs"),
    (np.array([[1.0, [2.0, 3.0]]], object), [[1.0, 2.0]], r"other\[0,1\] is a float, where a list of 2 belongs"),
    (np.array([1.0, 2.0], object), [1.0], r"other is a list of 1, where an array of shape \(2,\) belongs"),
]


@pytest.mark.parametrize(("tree", "other", "message"), MISMATCHED)
def test_trees_that_differ_are_told_apart_where_they_part(tree, other, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        flatten(tree)[1].flatten_up_to(other, "other")


def test_lists_of_numbers_are_taken_as_arrays():
    structure = flatten([np.ones((1, 2))])[1]
    assert structure.flatten_up_to([[[1.0, 2.0]]], "other")[0].tolist() == [[1.0, 2.0]]
    for other in ([["a"]], [[1j]], [[1.0, [2.0]]], [[ag.Value(1.0)]]):
        with pytest.raises(ValueError, match=r"^other\[0\] is a list of \d, where a number or an array belongs"):
            structure.flatten_up_to(other, "other")


def test_the_definition_of_a_tree_is_a_key():
    known = {flatten(tree)[1]: n for n, (tree, _) in enumerate(TREES)}
    for n, (tree, _) in enumerate(TREES):
        assert known[flatten(tree)[1]] == n
    assert flatten({"a": 1.0, "b": 2.0})[1] != flatten({"b": 1.0, "a": 2.0})[1]
    assert flatten([1.0])[1] != flatten((1.0,))[1]


def test_kinds_of_dict_are_kept():
    tree = {"o": OrderedDict(b=1.0, a=2.0), "d": defaultdict(list, x=3.0)}
    again = map_leaves(lambda x: x, tree)
    assert again == tree
    assert type(again["o"]) is OrderedDict
    assert again["d"].default_factory is list


def test_a_parameter_with_several_names_is_there_once():
    shared = ag.Value(1.0)

    class Shared:
        def named_parameters(self):
            return [("a", shared), ("b", shared)]

    assert leaves(Shared()) == [shared]
    assert list(map_leaves(float, map_leaves(lambda v: v.data, Shared()))) == ["a"]


def selfish(kind):
    if kind == "list":
        tree = [1.0]
        tree.append([2.0, tree])
    elif kind == "dict":
        tree = {"a": {}}
        tree["a"]["b"] = tree
    elif kind == "tuple":
        tree = ([],)
        tree[0].append(tree)
    else:
        tree = np.array([1.0, None], dtype=object)
        tree[1] = tree
    return tree


@pytest.mark.parametrize("kind", ["list", "dict", "tuple", "array"])
def test_what_contains_itself_is_an_error(kind):
    with pytest.raises(ValueError, match=r"the structure contains itself: the structure.* that it is in"):
        flatten(selfish(kind))


def test_what_is_there_twice_does_not_contain_itself():
    twice = [1.0]
    assert leaves([twice, (twice, {"a": twice})]) == [1.0, 1.0, 1.0]


def deep(depth, kind=list):
    tree = 2.0
    for _ in range(depth):
        tree = [tree] if kind is list else {"a": tree}
    return tree


@pytest.mark.parametrize("kind", [list, dict])
def test_trees_may_be_deep(kind):
    found, structure = flatten(deep(5_000, kind))
    assert found == [2.0]
    assert structure.flatten_up_to(deep(5_000, kind), "other") == [2.0]
    assert flatten(structure.unflatten([3.0]))[0] == [3.0]
    assert hash(structure) == hash(flatten(deep(5_000, kind))[1])
    assert flatten(deep(100, kind), max_depth=100)[0] == [2.0]
    with pytest.raises(ValueError, match=r"^it: there are more than 99 lists, tuples and dicts within each other"):
        flatten(deep(100, kind), max_depth=99, name="it")
    with pytest.raises(ValueError, match="…"):
        structure.flatten_up_to(deep(4_999, kind), "other")
