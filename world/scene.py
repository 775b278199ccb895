"""What changes from picture to picture: camera, expression, pose, clothes, place and light."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .palette import COLOURS

VIEWS: dict[str, float] = {
    "front": 0.0,
    "three_quarter_left": -45.0,
    "three_quarter_right": 45.0,
    "profile_left": -90.0,
    "profile_right": 90.0,
    "back": 180.0,
}
"""View name to yaw in degrees; negative yaw points the nose to the left of the picture."""
FRAMINGS = ("close_up", "medium", "full")
EXPRESSIONS = ("neutral", "smile", "sad", "angry", "surprised")
POSES = ("standing", "arms_raised", "waving", "hands_on_hips")
TOPS = ("t-shirt", "hoodie", "jacket", "sweater", "tank top", "dress")
BOTTOMS = ("trousers", "shorts", "skirt")
PLACES = ("plain", "park", "room", "night", "beach", "city")
LIGHTS = ("natural", "warm", "side", "low")

SCENE_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "view": tuple(VIEWS),
    "framing": FRAMINGS,
    "expression": EXPRESSIONS,
    "pose": POSES,
    "top": TOPS,
    "top_colour": tuple(COLOURS),
    "bottom": BOTTOMS,
    "bottom_colour": tuple(COLOURS),
    "place": PLACES,
    "background_colour": tuple(COLOURS),
    "lighting": LIGHTS,
}
"""The named parts of a scene with their values, in the order of the scene's fields."""


@dataclass(frozen=True)
class Scene:
    """One shot of somebody. `jitter` seeds what no caption tells: small shifts and tones."""

    view: str = "front"
    framing: str = "medium"
    expression: str = "neutral"
    pose: str = "standing"
    top: str = "t-shirt"
    top_colour: str = "blue"
    bottom: str = "trousers"
    bottom_colour: str = "grey"
    place: str = "plain"
    background_colour: str = "teal"
    lighting: str = "natural"
    jitter: int = 0

    @property
    def outfit(self) -> str:
        """The clothes in words: "red t-shirt and blue trousers"."""
        top = f"{self.top_colour} {self.top}"
        return top if self.top == "dress" else f"{top} and {self.bottom_colour} {self.bottom}"

    @property
    def background(self) -> str:
        """The place in words: "plain blue background", "in a park"."""
        if self.place == "plain":
            return f"plain {self.background_colour} background"
        return {
            "park": "in a park",
            "room": "in a room",
            "night": "at night",
            "beach": "on a beach",
            "city": "in a city",
        }[self.place]

    @classmethod
    def sample(cls, rng: random.Random, **fixed: str | int) -> Scene:
        """A scene drawn at random, with the fields in `fixed` as given."""
        drawn: dict[str, str | int] = {
            "view": rng.choices(tuple(VIEWS), (3, 2, 2, 1.5, 1.5, 1))[0],
            "framing": rng.choices(FRAMINGS, (1.2, 1, 1))[0],
            "expression": rng.choice(EXPRESSIONS),
            "pose": rng.choices(POSES, (1.6, 1, 1, 1))[0],
            "top": rng.choice(TOPS),
            "top_colour": rng.choice(tuple(COLOURS)),
            "bottom": rng.choice(BOTTOMS),
            "bottom_colour": rng.choice(tuple(COLOURS)),
            "place": rng.choices(PLACES, (4, 1, 1, 1, 1, 1))[0],
            "background_colour": rng.choice(tuple(COLOURS)),
            "lighting": rng.choices(LIGHTS, (3, 1, 1, 1))[0],
            "jitter": rng.randrange(1 << 30),
        }
        return cls(**{**drawn, **fixed})  # type: ignore[arg-type]
