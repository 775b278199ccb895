"""Writing captions."""

from . import writer

NODES = [*writer.NODES]
