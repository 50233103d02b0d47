"""Scalar code, recorded once and run as straight-line programs, by NumPy or as machine code."""
