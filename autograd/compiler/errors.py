"""The error of what cannot be compiled."""


class CompileError(TypeError):
    """What cannot be traced: the message names the line, and the cure."""
