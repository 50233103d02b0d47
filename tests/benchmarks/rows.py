"""The benchmarks by name."""

from __future__ import annotations

from tests.benchmarks import arrays, compiled, compiled_moons, convolution, imports, optimizers, scalars, sums, training

BENCHMARKS = {
    "compiled-moons": compiled_moons.moons,
    "compiled-captured": compiled_moons.captured,
    "compiled-options": compiled.options,
    "compiled-numpy": compiled_moons.numpy_backend,
    "compiled-time": compiled.compile_time,
    "compiled-orbit": compiled.orbit,
    "compiled-call": compiled.call_overhead,
    "chain": scalars.chain,
    "moons-scalar": scalars.moons,
    "moons-tensor": arrays.moons,
    "mlp": arrays.mlp,
    "sums": sums.sums,
    "adam": optimizers.adam,
    "adam-float32": optimizers.adam_float32,
    "adam-float64": optimizers.adam_float64,
    "cnn": convolution.cnn,
    "cnn5": convolution.cnn5,
    "mnist99": convolution.seconds_to_99,
    "fit": training.fit_overhead,
    "mnist": training.mnist,
    "memory": scalars.memory,
    "gradient": scalars.gradient_ratio,
    "import": imports.import_time,
}

# Those that take seconds each, and do not need MNIST.
QUICK = [name for name in BENCHMARKS if name not in ("compiled-time", "mnist99", "mnist")]
