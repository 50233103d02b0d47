"""Names of other engines: the errors name ours, and what they say is enough to run other engines' code."""

import copy
import inspect
import random
import re
from functools import partial

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.other_engines import NAMES
from nn.scalar import MLP

NODES = {
    "Value": ag.Value(2.0) * 3.0,
    "Tensor": ag.Tensor([2.0]) * 3.0,
    "leaf": ag.Value(2.0),
    "Parameter": nn.Linear(1, 1).weight,
}


def said(name, node=NODES["Value"]):
    """What the error says is to be written for the attribute `name` of x."""
    with pytest.raises(AttributeError) as error:
        getattr(node, name)
    found = re.fullmatch(r"a \w+ has no (\w+), as in [\w ]+: (?:write `(.+?)`|leave it out) \(.+\)", str(error.value))
    assert found[1] == name
    return found[2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", NODES)
def test_names_of_other_engines_are_answered_with_ours(kind, name):
    node = NODES[kind]
    expression = said(name, node)
    assert expression is None or eval(expression, {"x": node, "ag": ag}) is not NotImplemented
    assert not hasattr(node, name)
    assert getattr(node, name, "default") == "default"
    assert name not in dir(node)
    with pytest.raises(AttributeError, match=f"has no {name}, as in"):
        setattr(node, name, None)


def test_all_else_is_as_without_them():
    x = ag.Value(2.0)
    with pytest.raises(AttributeError, match="'Value' object has no attribute 'unheard_of'"):
        x.unheard_of  # noqa: B018
    assert [name for name, _ in inspect.getmembers(x) if name in NAMES] == []
    assert copy.deepcopy(x).data == 2.0
    assert np.array([x, x]).sum().data == 4.0


def in_our_names(source):
    """The source with the attributes that have other names here replaced by what the errors say."""
    for name in NAMES:
        if re.search(rf"\.{name}\b", source) and (ours := said(name)):
            source = re.sub(rf"\b(\w+)\.{name}\b", lambda found, ours=ours: re.sub(r"\bx\b", found[1], ours), source)
    return source


# From Karpathy's lecture on micrograd, as it stands in his notebook.
DRAW_DOT = """
def trace(root):
  # builds a set of all nodes and edges in a graph
  nodes, edges = set(), set()
  def build(v):
    if v not in nodes:
      nodes.add(v)
      for child in v._prev:
        edges.add((child, v))
        build(child)
  build(root)
  return nodes, edges

def draw_dot(root):
  dot = Digraph(format='svg', graph_attr={'rankdir': 'LR'}) # LR = left to right

  nodes, edges = trace(root)
  for n in nodes:
    uid = str(id(n))
    # for any value in the graph, create a rectangular ('record') node for it
    dot.node(name = uid, label = "{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad), shape='record')
    if n._op:
      # if this value is a result of some operation, create an op node for it
      dot.node(name = uid + n._op, label = n._op)
      # and connect this node to it
      dot.edge(uid + n._op, uid)

  for n1, n2 in edges:
    # connect n1 to the op node of n2
    dot.edge(str(id(n1)), str(id(n2)) + n2._op)

  return dot
"""
NEURON = """
# inputs x1,x2
x1 = Value(2.0, label='x1')
x2 = Value(0.0, label='x2')
# weights w1,w2
w1 = Value(-3.0, label='w1')
w2 = Value(1.0, label='w2')
# bias of the neuron
b = Value(6.8813735870195432, label='b')
# x1*w1 + x2*w2 + b
x1w1 = x1*w1; x1w1.label = 'x1*w1'
x2w2 = x2*w2; x2w2.label = 'x2*w2'
x1w1x2w2 = x1w1 + x2w2; x1w1x2w2.label = 'x1*w1 + x2*w2'
n = x1w1x2w2 + b; n.label = 'n'
o = n.tanh(); o.label = 'o'
o.backward()
"""
TOPO = """
topo = []
visited = set()
def build_topo(v):
  if v not in visited:
    visited.add(v)
    for child in v._prev:
      build_topo(child)
    topo.append(v)
build_topo(o)
"""


def test_the_lectures_drawing_runs_with_the_names_that_the_errors_give():
    graphviz = pytest.importorskip("graphviz")
    names = {"Value": ag.Value, "Digraph": graphviz.Digraph}
    exec(NEURON, names)
    with pytest.raises(AttributeError, match=r"write `x\.parents`"):
        exec(DRAW_DOT + "\ndraw_dot(o)", names)
    exec(in_our_names(DRAW_DOT), names)
    nodes, edges = names["trace"](names["o"])
    assert {node.label for node in nodes} == {"x1", "x2", "w1", "w2", "b", "x1*w1", "x2*w2", "x1*w1 + x2*w2", "n", "o"}
    assert len(edges) == 9
    source = names["draw_dot"](names["o"]).source
    assert source.count("shape=record") == 10
    assert sorted(re.findall(r"label=(\w+)\]", source)) == ["add", "add", "mul", "mul", "tanh"]
    assert "{ x1 | data 2.0000 | grad -1.5000 }" in source
    assert source.count(" -> ") == 14


def test_so_does_its_walk_in_topological_order():
    names = {"Value": ag.Value}
    exec(NEURON + in_our_names(TOPO), names)
    order = names["topo"]
    assert len(order) == 10
    assert order[-1] is names["o"]
    assert all(order.index(parent) < i for i, node in enumerate(order) for parent in node.parents)


TRAINING = """
n = MLP(3, [4, 4, 1])
xs = [
  [2.0, 3.0, -1.0],
  [3.0, -1.0, 0.5],
  [0.5, 1.0, 1.0],
  [1.0, 1.0, -1.0],
]
ys = [1.0, -1.0, -1.0, 1.0] # desired targets
for k in range(20):

  # forward pass
  ypred = [n(x) for x in xs]
  loss = sum((yout - ygt)**2 for ygt, yout in zip(ys, ypred))

  # backward pass
  for p in n.parameters():
    p.grad = 0.0
  loss.backward()

  # update
  for p in n.parameters():
    p.data += -0.1 * p.grad

  print(k, loss.data)
"""


def test_and_its_training_loop_with_its_own_net(capsys):
    random.seed(1)
    net = partial(MLP, activation="tanh", output_activation="tanh")
    assert in_our_names(TRAINING) == TRAINING
    exec(TRAINING, {"MLP": net})
    losses = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 20
    assert losses[-1] < 0.2 * losses[0]
