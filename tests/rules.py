"""Rules of operations that are a little wrong, which tests must find."""

from autograd.graph import Slope


def scaled(rule, factor=1.01):
    """A slope or a pullback times `factor`."""
    if rule is None:
        return None
    if not isinstance(rule, Slope):
        return lambda *args: rule(*args) * factor
    if rule.kind == "divisor":
        return Slope(lambda *args: rule.function(*args) / factor, "divisor")
    if rule.kind == "fraction":
        return Slope(lambda *args: (lambda n, d: (n * factor, d))(*rule.function(*args)), "fraction")
    return Slope(lambda *args: rule.function(*args) * factor, rule.kind)
