"""What the expression editor asks for. Widgets are only ever added at the end."""

from __future__ import annotations

import logging

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.families.modes import MODES, ReferenceMode
from ...engine.generate.expression.presets import (
    ALL,
    FRONT,
    ORIGINAL,
    OWN,
    Preset,
    user_presets,
)
from ...engine.generate.expression.table import SLIDERS
from ..common import sockets
from ..common.folders import expressions_folder
from ..common.inputs import negative_input, sampling_inputs

LOGGER = logging.getLogger(__name__)


def known_presets() -> dict[str, Preset]:
    """Every preset by its name: the pack's, and a person's own; FacetError for a broken file."""
    return {**ALL, **user_presets(expressions_folder()), **ALL}


def preset_names() -> list[str]:
    """What can be chosen; without a person's own where a file of theirs is broken."""
    try:
        return list(known_presets())
    except FacetError as error:
        LOGGER.warning("Facet: %s", error)
        return list(ALL)


def picture_inputs() -> list[io.Input]:
    """Whose face it is, and what looks at it."""
    return [
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The pictures to edit, each on its own. Connect these or a character.",
        ),
        sockets.Character.Input(
            "character",
            optional=True,
            tooltip="The character that gets shots with other expressions.",
        ),
        sockets.FaceDetection.Input(
            "face_detection_model",
            optional=True,
            tooltip="Finds the faces and their landmarks. Without it twelve points are placed by "
            "hand, in the node.",
        ),
        io.Image.Input(
            "expression_from",
            optional=True,
            tooltip="A picture whose expression is copied; the preset and the sliders are added "
            "to it. Needs the face detection model.",
        ),
    ]


def model_inputs() -> list[io.Input]:
    """What paints that which no warp can show."""
    return [
        io.Model.Input(
            "model",
            optional=True,
            tooltip="The diffusion model that paints what moving pixels cannot show, such as the "
            "inside of an opened mouth. Without it nothing is painted.",
        ),
        io.Clip.Input("clip", optional=True, tooltip="The text encoder that belongs to the model."),
        io.Vae.Input("vae", optional=True, tooltip="The VAE that belongs to the model."),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures whether it is still the same face. Without it nobody checks.",
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
            tooltip="The expression to begin with; the sliders are added to it.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=1.5,
            step=0.01,
            optional=True,
            tooltip="How much of the presets, here and in expressions: 1 for all of it.",
        ),
        io.String.Input(
            "expressions",
            default="",
            optional=True,
            tooltip="Several expressions at once, by name, with commas or one a line: smile, sad, "
            "smile:0.5 + wink. Empty makes the one that the preset and the sliders show.",
        ),
        io.Combo.Input(
            "shots",
            options=[ORIGINAL, FRONT],
            default=ORIGINAL,
            optional=True,
            tooltip="Which of the character's pictures get the expressions: the original, or every "
            "included shot that looks to the front.",
        ),
        io.Int.Input(
            "face_index",
            default=0,
            min=0,
            max=31,
            optional=True,
            tooltip="Which face of a picture, counted from the largest: 0, 1, 2.",
        ),
        io.Boolean.Input(
            "neutralise",
            default=False,
            optional=True,
            tooltip="Takes the expression that the face has already away first.",
        ),
        io.Boolean.Input(
            "calibrate",
            default=False,
            optional=True,
            tooltip="Measures the face again and turns the sliders until it shows what was asked. "
            "Needs the face detection model.",
        ),
    ]


def refine_inputs() -> list[io.Input]:
    """How the model paints; folded away."""
    sampling = [one for one in sampling_inputs() if one.id not in ("width", "height")]
    for one in sampling:
        one.optional = one.advanced = True
    return [
        io.Float.Input(
            "denoise",
            default=0.5,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="How much of the moved parts the model paints anew. 0 leaves that out.",
        ),
        *sampling,
        io.Combo.Input(
            "reference_mode",
            options=MODES,
            default=ReferenceMode.IMG2IMG.value,
            optional=True,
            advanced=True,
            tooltip="Whether the model sees the original while it paints: img2img, not; "
            "reference_latents or qwen_edit, as an edit model does; patched_model, through "
            "IP-Adapter or PuLID already applied.",
        ),
        io.Int.Input(
            "face_size",
            default=768,
            min=64,
            max=2048,
            step=32,
            optional=True,
            advanced=True,
            tooltip="The model works at about this size squared: on the whole face where it fits, "
            "else on the moved parts.",
        ),
        io.Float.Input(
            "max_identity_loss",
            default=0.1,
            min=0.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="What is painted is left out where the face would become less like the "
            "original than this: cosine of the CLIP_VISION embeddings.",
        ),
        negative_input(),
    ]


def slider_inputs() -> list[io.Input]:
    """The twelve points that the page keeps, and one widget for each slider."""
    return [
        io.String.Input(
            "points",
            default="",
            optional=True,
            advanced=True,
            dynamic_prompts=False,
            socketless=True,
            extra_dict={"hidden": True},
            tooltip="Twelve points placed by hand in the node, as JSON: shares of width and "
            "height. Used where no face is found.",
        ),
        *(
            io.Float.Input(
                slider.name,
                default=0.0,
                min=slider.low - slider.high,
                max=slider.high - slider.low,
                step=0.01,
                optional=True,
                advanced=True,
                # The page draws them by region; values, links and the API find them here.
                extra_dict={"hidden": True},
                tooltip=f"{slider.does} Added to what the preset gives.",
            )
            for slider in SLIDERS
        ),
    ]
