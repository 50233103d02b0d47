"""The error of functions that cannot be compiled."""


class CompileError(TypeError):
    """The error of a function that cannot be traced. Its message names the line and the cure."""
