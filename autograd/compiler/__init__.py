"""The compiler: scalar code, traced once and run as straight-line programs, by NumPy or as machine code."""
