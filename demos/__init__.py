"""Lessons that run: one file a demo. `python -m demos` lists them."""
