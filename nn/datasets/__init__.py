"""Data sets to learn on: points drawn on the spot, and scanned images."""

from nn.datasets.images import Images, digits, mnist
from nn.datasets.points import blobs, circles, line, moons, spirals, xor

__all__ = ["Images", "blobs", "circles", "digits", "line", "mnist", "moons", "spirals", "xor"]
