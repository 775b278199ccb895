"""Beginning a character, and going to and from plain images."""

from . import character

NODES = [*character.NODES]
