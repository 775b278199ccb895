"""Prompts of the pack's nodes, as the page would queue them."""

from __future__ import annotations

from functools import cache
from typing import Any

from facet.nodes import (
    captions,
    character,
    dataset,
    demo,
    expression,
    scoring,
    shots,
    studio,
    training,
)

from .executor import Prompt

AREAS = (captions, character, dataset, demo, expression, scoring, shots, studio, training)
MODELS = ("model", "clip", "vae")


@cache
def _usual(kind: str) -> dict[str, Any]:
    """The default of each widget of a node of the pack; nothing for another's."""
    schemas = [one.GET_SCHEMA() for area in AREAS for one in area.NODES]
    inputs = [one for schema in schemas if schema.node_id == kind for one in schema.inputs]
    given = {one.id: getattr(one, "default", None) for one in inputs}
    return {name: value for name, value in given.items() if value is not None}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node in a prompt, of the pack's with its widgets as they come, but for ``inputs``."""
    return {"class_type": kind, "inputs": _usual(kind) | inputs}


def demo_prompt(person: int = 3, **nodes: dict[str, Any]) -> Prompt:
    """The demo's ``models``, a ``character`` of its person ``person``, and ``nodes``."""
    who = {"name": "Ada", "trigger": "zqx", "class_word": "person"}
    return {
        "models": node("FacetDemoModels"),
        "picture": node("FacetDemoPicture", person=person),
        "character": node("FacetCharacter", image=["picture", 0], **who),
        **nodes,
    }


def studio_node(models: str = "models", first: int = 2, **settings: Any) -> dict[str, Any]:
    """A studio of the outputs of ``models`` from ``first`` on: MODEL, CLIP and VAE.

    It shows the original as reference latents, and samples 64 pixels in one step.
    """
    links = {name: [models, first + number] for number, name in enumerate(MODELS)}
    small = {"reference_mode": "reference_latents", "steps": 1, "cfg": 1.0}
    return node("FacetStudio", **links, **(small | {"width": 64, "height": 64} | settings))
