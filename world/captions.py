"""Honest English for a picture: the words of the person and the phrases of the scene."""

from __future__ import annotations

import random

from ..engine.core.character import Tags
from .identity import Identity
from .scene import Scene

_ADJECTIVE_STYLES = ("short", "spiky", "long", "curly")


def identity_words(person: Identity) -> list[str]:
    """What a caption can say about somebody, most visible first."""
    if person.hair_style == "bald":
        hair = "bald"
    elif person.hair_style in _ADJECTIVE_STYLES:
        hair = f"{person.hair_style} {person.hair} hair"
    else:
        hair = f"{person.hair} {person.hair_style}"
    words = [f"{person.skin} skin", hair, f"{person.eyes} eyes"]
    if person.glasses != "none":
        words.append(f"{person.glasses} glasses")
    if person.beard != "none":
        words.append(person.beard)
    if person.accessory != "none":
        words.append(f"{person.accessory_colour} {person.accessory}")
    if person.ears == "pointed":
        words.append("pointed ears")
    words.append(f"{person.face_shape} face")
    if person.build != "average":
        words.append(f"{person.build} build")
    return words


def tags_of(scene: Scene) -> Tags:
    """The scene in the pack's controlled vocabulary."""
    return Tags(
        framing=scene.framing,
        view=scene.view,
        expression=scene.expression,
        pose=scene.pose,
        outfit=scene.outfit,
        background=scene.background,
        lighting=scene.lighting,
    )


def text_caption(person: Identity, scene: Scene, trigger: str = "") -> str:
    """A caption for text to image that says everything."""
    lead = f"{trigger} person".strip()
    return ", ".join([lead, *identity_words(person), *tags_of(scene).phrases()])


def reference_caption(scene: Scene) -> str:
    """A prompt that goes with a reference picture."""
    return ", ".join(["same character", *tags_of(scene).phrases()])


def _varied(phrases: list[str], scene: Scene, rng: random.Random, keep: float) -> list[str]:
    kept = [p for p in phrases if rng.random() < keep]
    short = f"wearing {scene.top_colour} {scene.top}"
    if scene.framing == "close_up" and rng.random() < 0.5:
        kept = [short if p.startswith("wearing") else p for p in kept]
    if rng.random() < 0.2:
        rng.shuffle(kept)
    return kept


def training_caption(
    person: Identity, scene: Scene, rng: random.Random, reference: bool, trigger: str = ""
) -> str:
    """A caption as the flow model is trained on: phrases dropped, order varied, 10 % empty.

    `trigger` marks a text-to-image caption in which "person" follows random tokens; half of those
    say nothing about who it is, so that an unknown word before "person" is a neutral handle.
    """
    if rng.random() < 0.1:
        return ""
    phrases = _varied(tags_of(scene).phrases(), scene, rng, 0.96)
    if reference:
        words = identity_words(person) if rng.random() < 0.1 else []
        return ", ".join(["same character", *(w for w in words if rng.random() < 0.5), *phrases])
    words = identity_words(person)
    if trigger and rng.random() < 0.5:
        words = []
    elif rng.random() < 0.4:
        words = [w for w in words if rng.random() < 0.6]
    return ", ".join([f"{trigger} person".strip(), *words, *phrases])
