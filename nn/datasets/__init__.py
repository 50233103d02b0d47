"""Data sets to learn on: points drawn on the spot, and scanned images."""

from autograd.exports import publish as _publish
from nn.datasets.images import Images as Images
from nn.datasets.images import digits as digits
from nn.datasets.images import mnist as mnist
from nn.datasets.points import blobs as blobs
from nn.datasets.points import circles as circles
from nn.datasets.points import line as line
from nn.datasets.points import moons as moons
from nn.datasets.points import spirals as spirals
from nn.datasets.points import xor as xor

_publish(globals())
