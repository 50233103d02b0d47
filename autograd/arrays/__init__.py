"""The operations on arrays only. Whatever is fixed (an axis, a shape, an index) is fixed when a primitive is made, so
that every primitive is a function of its differentiable inputs and of nothing else."""
