"""What the expression editor asks for."""

from __future__ import annotations

import logging

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.generate.expression.presets import (
    ALL,
    FRONT,
    ORIGINAL,
    OWN,
    Preset,
    user_presets,
)
from ..common import sockets
from ..common.folders import expressions_folder, users
from ..common.inputs import judge_input, panel_input, seed_input, studio_input

LOGGER = logging.getLogger(__name__)


def known_presets(user: str | None = None) -> dict[str, Preset]:
    """The presets by name: the pack's, everybody's, and ``user``'s own; without one, every user's.

    A prompt does not say whose it is, so no two users have a preset of one name; see `keep_preset`.
    """
    found = dict(ALL)
    for whose in (None, *(users() if user is None else [user])):
        found |= user_presets(expressions_folder(whose))
    return {**found, **ALL}


def preset_names() -> list[str]:
    """What can be chosen; without a person's own where their folder leads elsewhere."""
    try:
        return list(known_presets())
    except (FacetError, OSError) as error:
        LOGGER.warning("Facet: %s", error)
        return list(ALL)


def picture_inputs() -> list[io.Input]:
    """Whose face it is, and what looks at it."""
    return [
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The images to edit, each on its own. Connect these or a character.",
        ),
        sockets.Character.Input(
            "character",
            optional=True,
            tooltip="The character that gets shots with other expressions.",
        ),
        studio_input(
            "Repaints what a warp cannot show, such as the inside of an opened mouth, and turns "
            "heads further. If not connected, faces are only warped.",
            optional=True,
        ),
        judge_input(
            "Finds the faces and their landmarks, and measures whether they are still the same. "
            "Without a face detection model, place twelve points by hand in the node."
        ),
        io.Image.Input(
            "expression_from",
            optional=True,
            tooltip="An image whose expression is copied; the preset and the sliders are added "
            "to it. Needs a face detection model in the judge.",
        ),
    ]


def expression_inputs() -> list[io.Input]:
    """Which expressions, of what."""
    return [
        io.Combo.Input(
            "preset",
            options=[OWN, *preset_names()],
            default=OWN,
            optional=True,
            tooltip="The expression to start from; the sliders are added to it.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=1.5,
            step=0.01,
            optional=True,
            tooltip="Strength of the presets, here and in expressions; 1 is the full expression.",
        ),
        io.String.Input(
            "expressions",
            default="",
            optional=True,
            tooltip="Several expressions at once, by name, separated by commas or one per line: "
            "smile, sad, smile:0.5 + wink. Empty makes the one that the preset and the sliders "
            "show.",
        ),
        io.Combo.Input(
            "shots",
            options=[ORIGINAL, FRONT],
            default=ORIGINAL,
            optional=True,
            tooltip="Which of the character's images get the expressions: the original, or every "
            "included shot from the front.",
        ),
        io.Int.Input(
            "face_index",
            default=0,
            min=0,
            max=31,
            optional=True,
            advanced=True,
            tooltip="Which face of an image, counted from the largest: 0, 1, 2.",
        ),
        io.Boolean.Input(
            "neutralise",
            default=False,
            optional=True,
            tooltip="Removes the face's current expression first.",
        ),
        io.Boolean.Input(
            "calibrate",
            default=False,
            optional=True,
            tooltip="Measures the edited face and adjusts the sliders until it shows what was "
            "asked for. Needs a face detection model in the judge.",
        ),
    ]


def refine_inputs() -> list[io.Input]:
    """How the model paints; folded away."""
    seed = seed_input()
    seed.optional = seed.advanced = True
    return [
        io.Float.Input(
            "denoise",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Denoise of the repainted parts. 0 repaints nothing.",
        ),
        seed,
        io.Boolean.Input(
            "show_original",
            default=False,
            optional=True,
            advanced=True,
            tooltip="Shows the model the original while it repaints, in the studio's reference "
            "mode. Off: it sees only the edited image.",
        ),
        io.Int.Input(
            "face_size",
            default=768,
            min=64,
            max=2048,
            step=32,
            optional=True,
            advanced=True,
            tooltip="Resolution of the repainting, as the side of a square in pixels: of the "
            "whole face where it fits, else of the moved parts.",
        ),
        io.Float.Input(
            "max_identity_loss",
            default=0.1,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Largest loss of similarity to the original: cosine of the CLIP_VISION "
            "embeddings. A repainting that loses more is discarded.",
        ),
    ]


def edits_input() -> io.Input:
    """What the panel keeps: every slider that was moved, and the points placed by hand."""
    return panel_input(
        "face_edits",
        "Set by the panel in the node, as JSON: sliders, what is added to the preset by "
        "name; points, twelve points placed by hand where no face is found, as shares of width "
        "and height. The help page lists the sliders for scripts.",
    )
