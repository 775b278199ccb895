"""What makes and what measures pictures."""

from . import face_embedder, shot_options

NODES = [*shot_options.NODES, *face_embedder.NODES]
