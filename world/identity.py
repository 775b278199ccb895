"""Who a person is: everything that stays the same from picture to picture."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .palette import COLOURS, EYES, HAIR, SKIN, Colour, jitter

HAIR_STYLES = (
    "bald",
    "short",
    "spiky",
    "bob",
    "long",
    "ponytail",
    "bun",
    "curly",
    "twintails",
    "mohawk",
)
FACE_SHAPES = ("round", "oval", "square", "heart")
GLASSES = ("none", "round", "square")
BEARDS = ("none", "mustache", "beard")
ACCESSORIES = ("none", "headband", "bow", "flower")
EARS = ("round", "pointed")
BUILDS = ("slim", "average", "stocky")

HELD_OUT_FROM = 1_000_000
"""People with this seed or a higher one are never trained on."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "skin": tuple(SKIN),
    "hair": tuple(HAIR),
    "hair_style": HAIR_STYLES,
    "eyes": tuple(EYES),
    "face_shape": FACE_SHAPES,
    "glasses": GLASSES,
    "beard": BEARDS,
    "accessory": ACCESSORIES,
    "ears": EARS,
    "build": BUILDS,
}
"""The named parts of an identity with their values, in the order of the identity's fields."""


@dataclass(frozen=True)
class Identity:
    """One person. Lengths are in head radii, angles in radians; colours are exact RGB."""

    seed: int
    skin: str
    hair: str
    hair_style: str
    eyes: str
    face_shape: str
    glasses: str
    beard: str
    accessory: str
    accessory_colour: str
    ears: str
    build: str
    skin_rgb: Colour
    hair_rgb: Colour
    eye_rgb: Colour
    accessory_rgb: Colour
    face_width: float
    face_height: float
    eye_size: float
    eye_spacing: float
    brow_thickness: float
    nose_size: float
    mouth_width: float
    hair_length: float
    hair_volume: float
    parting: float
    body_width: float

    @property
    def held_out(self) -> bool:
        """Whether the person is kept from every training."""
        return self.seed >= HELD_OUT_FROM

    def numbers(self) -> list[float]:
        """The continuous parameters, each scaled to about -1..1 (21 numbers)."""
        colours = (self.skin_rgb, self.hair_rgb, self.eye_rgb, self.accessory_rgb)
        scaled = [(c - 127.5) / 127.5 for colour in colours for c in colour]
        ranges = (
            (self.face_width, 0.86, 1.02),
            (self.face_height, 0.92, 1.1),
            (self.eye_size, 0.85, 1.15),
            (self.eye_spacing, 0.38, 0.46),
            (self.brow_thickness, 0.05, 0.11),
            (self.mouth_width, 0.85, 1.15),
            (self.hair_length, 0.85, 1.15),
            (self.parting, -1.0, 1.0),
            (self.body_width, 0.72, 1.2),
        )
        return scaled + [2 * (v - low) / (high - low) - 1 for v, low, high in ranges]

    @classmethod
    def from_seed(cls, seed: int) -> Identity:
        """The person with this number; the same seed always gives the same person."""
        rng = random.Random(f"identity {seed}")
        skin = rng.choices(list(SKIN), (3, 3, 3, 3, 2.5, 1, 1))[0]
        hair = rng.choice(list(HAIR))
        hair_style = rng.choices(HAIR_STYLES, (1, 3, 2, 2, 3, 2, 2, 2, 2, 1.3))[0]
        eyes = rng.choice(list(EYES))
        face_shape = rng.choice(FACE_SHAPES)
        glasses = rng.choices(GLASSES, (5, 1.5, 1.5))[0]
        beard = rng.choices(BEARDS, (6, 1, 1.3))[0]
        accessory = rng.choices(ACCESSORIES, (5, 1, 1, 1))[0]
        if hair_style in ("bald", "mohawk") and accessory in ("bow", "flower"):
            accessory = "none"
        accessory_colour = rng.choice(list(COLOURS))
        ears = rng.choices(EARS, (5, 1))[0]
        build = rng.choices(BUILDS, (1, 2, 1))[0]
        width = {"round": 0.97, "oval": 0.9, "square": 0.95, "heart": 0.96}[face_shape]
        height = {"round": 0.97, "oval": 1.06, "square": 0.99, "heart": 1.03}[face_shape]
        body = {"slim": 0.78, "average": 0.94, "stocky": 1.14}[build]
        return cls(
            seed=seed,
            skin=skin,
            hair=hair,
            hair_style=hair_style,
            eyes=eyes,
            face_shape=face_shape,
            glasses=glasses,
            beard=beard,
            accessory=accessory,
            accessory_colour=accessory_colour,
            ears=ears,
            build=build,
            skin_rgb=jitter(SKIN[skin], rng, 8),
            hair_rgb=jitter(HAIR[hair], rng, 11),
            eye_rgb=jitter(EYES[eyes], rng, 8),
            accessory_rgb=jitter(COLOURS[accessory_colour], rng, 7),
            face_width=width + rng.uniform(-0.03, 0.03),
            face_height=height + rng.uniform(-0.03, 0.03),
            eye_size=rng.uniform(0.88, 1.12),
            eye_spacing=rng.uniform(0.39, 0.45),
            brow_thickness=rng.uniform(0.055, 0.105),
            nose_size=rng.uniform(0.85, 1.15),
            mouth_width=rng.uniform(0.88, 1.12),
            hair_length=rng.uniform(0.86, 1.14),
            hair_volume=rng.uniform(0.96, 1.04),
            parting=rng.choice((-1, 1)) * rng.uniform(0.3, 1.0),
            body_width=body + rng.uniform(-0.05, 0.05),
        )
