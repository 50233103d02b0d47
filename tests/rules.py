"""Rules of operations that are a little wrong, which tests must find."""

from autograd.graph import Primitive, Slope


def scaled(rule, factor=1.01):
    """A slope or a pullback times `factor`."""
    if rule is None:
        return None
    if not isinstance(rule, Slope):
        return lambda *args: rule(*args) * factor
    if rule.kind == "divisor":
        return Slope(lambda *args: rule.function(*args) / factor, "divisor")
    if rule.kind in ("fraction", "factors"):  # which give several
        return Slope(lambda *args: (lambda first, *rest: (first * factor, *rest))(*rule.function(*args)), rule.kind)
    return Slope(lambda *args: rule.function(*args) * factor, rule.kind)


def put_rules(monkeypatch, op, *rules):
    """Give the operation other rules, with all that is made of them, while `monkeypatch` lasts."""
    made = Primitive(op.name, op.scalar, op.array, *rules)
    for name in ("rules", "dx", "dx_kind", "dy", "dy_kind", "pull_x", "pull_y"):
        monkeypatch.setattr(op, name, getattr(made, name))
