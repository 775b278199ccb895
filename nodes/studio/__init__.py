"""What makes and what measures pictures."""

from . import face_embedder, judge, judge_options, studio

NODES = [*studio.NODES, *judge.NODES, *judge_options.NODES, *face_embedder.NODES]
