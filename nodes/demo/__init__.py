"""The demo world's models and people."""

from . import demo

NODES = [*demo.NODES]
