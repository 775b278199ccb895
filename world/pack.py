"""What the world takes from the pack.

The world is run as `world` from the repository's root, and imported as `facet.world` where the
pack goes by that name; both find the pack's engine here.
"""

from __future__ import annotations

if __package__ == "world":
    from engine.core.character import Tags
    from engine.demo import models as demo_models
    from engine.demo.face import HeadFinder, LandmarkReader, crop_heads
    from engine.demo.person import DemoBackgroundModel, PersonFinder
    from engine.demo.text import END, MAX_TOKENS, START, VOCABULARY_SIZE, simplify, token_table
    from engine.demo.text import HEADS as TEXT_HEADS
    from engine.demo.text import LAYERS as TEXT_LAYERS
    from engine.demo.text import WIDTH as TEXT_WIDTH
    from engine.demo.vision import HEADS as VISION_HEADS
    from engine.demo.vision import IMAGE_SIZE, PATCH, PROJECTION
    from engine.demo.vision import LAYERS as VISION_LAYERS
    from engine.demo.vision import WIDTH as VISION_WIDTH
else:
    from ..engine.core.character import Tags
    from ..engine.demo import models as demo_models
    from ..engine.demo.face import HeadFinder, LandmarkReader, crop_heads
    from ..engine.demo.person import DemoBackgroundModel, PersonFinder
    from ..engine.demo.text import END, MAX_TOKENS, START, VOCABULARY_SIZE, simplify, token_table
    from ..engine.demo.text import HEADS as TEXT_HEADS
    from ..engine.demo.text import LAYERS as TEXT_LAYERS
    from ..engine.demo.text import WIDTH as TEXT_WIDTH
    from ..engine.demo.vision import HEADS as VISION_HEADS
    from ..engine.demo.vision import IMAGE_SIZE, PATCH, PROJECTION
    from ..engine.demo.vision import LAYERS as VISION_LAYERS
    from ..engine.demo.vision import WIDTH as VISION_WIDTH

__all__ = [
    "END",
    "IMAGE_SIZE",
    "MAX_TOKENS",
    "PATCH",
    "PROJECTION",
    "START",
    "TEXT_HEADS",
    "TEXT_LAYERS",
    "TEXT_WIDTH",
    "VISION_HEADS",
    "VISION_LAYERS",
    "VISION_WIDTH",
    "VOCABULARY_SIZE",
    "DemoBackgroundModel",
    "HeadFinder",
    "LandmarkReader",
    "PersonFinder",
    "Tags",
    "crop_heads",
    "demo_models",
    "simplify",
    "token_table",
]
