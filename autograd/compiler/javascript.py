"""Functions for exported JavaScript that its `Math` lacks, or has with other results than IEEE 754's."""

from __future__ import annotations

import re

# What ECMAScript's `Math` has of numbers, by C's names. It leaves their accuracy open; those of V8 are within 4 ulps in tests.
MATH = re.compile(r"\w+").findall("""
acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp expm1 floor hypot log log10 log1p log2 pow sin sinh sqrt
tan tanh trunc
""")

# C's pow of 1 and nan is 1, and so is that of -1 and infinity; ECMAScript's is nan.
_POWER = """\
function _power(x, y) {
    return x === 1.0 || (x === -1.0 && Math.abs(y) === Infinity) ? 1.0 : Math.pow(x, y);
}"""

# Near 0 the Maclaurin series: |x| < 1/2 needs 13 terms of alternating signs, of which the first outweighs all others.
_ERF = """\
function _erf(x) {
    if (Math.abs(x) >= 0.5) return x < 0.0 ? _erfc(-x) - 1.0 : 1.0 - _erfc(x);
    let sum = 0.0;
    for (let n = 13; n >= 0; n--) sum = 1.0 / (2 * n + 1) - x * x * sum / (n + 1);
    return 1.1283791670955126 * x * sum;
}"""
# Elsewhere the trapezoidal rule with step h = 1/2 for its integral over a Gaussian, less the residue of the pole that the
# rule passes: its relative error is below exp(-(π/h)²) = 7e-18, and all terms are positive, so that only rounding is left:
# 8 ulps at most in tests, 1 in the mean. The square of x, whose error exp would magnify, is split: that of 24 bits is exact.
# Matta and Reichel, "Uniform computation of the error function and other related functions", Math. Comp. 25 (1971).
_ERFC = """\
function _erfc(x) {
    if (!(x >= 0.5)) return x <= -0.5 ? 2.0 - _erfc(-x) : 1.0 - _erf(x);
    if (x > 28.0) return 0.0;
    let sum = 0.5 / (x * x);
    for (let n = 1; n <= 13; n++) sum += Math.exp(-0.25 * n * n) / (0.25 * n * n + x * x);
    const head = Math.fround(x);
    const gaussian = Math.exp(-head * head) * Math.exp((head - x) * (head + x));
    const residue = x < 6.0 ? 2.0 / Math.expm1(12.566370614359172 * x) : 0.0;
    return gaussian * (x * sum / Math.PI) - residue;
}"""

HELPERS = {"_power": (_POWER,), "_erf": (_ERF, _ERFC), "_erfc": (_ERF, _ERFC)}  # with those that each calls
