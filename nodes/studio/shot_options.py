"""How strictly shots are measured, and how they are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.generate.shots.gates import Thresholds
from ...engine.generate.shots.retry import RetryRules
from ...engine.vision.people import check_detector
from ..common import sockets
from ..common.errors import errors_from

if TYPE_CHECKING:
    from ...engine.scoring.score import ScoreCard

NAME = "Facet Shot Options"
GATE, RULE = Thresholds(), RetryRules()


def _check(gate: str, tooltip: str) -> io.Input:
    return io.Boolean.Input(f"check_{gate}", default=True, tooltip=tooltip)


def _number(
    name: str, default: float, low: float, high: float, tooltip: str, step: float = 0.01
) -> io.Input:
    return io.Float.Input(
        name, default=default, min=low, max=high, step=step, advanced=True, tooltip=tooltip
    )


def gate_inputs() -> list[io.Input]:
    """Each gate's switch with its thresholds."""
    return [
        _check("view", "Whether the face has to look where it was asked to. Recommended on."),
        _number(
            "max_yaw_error",
            GATE.max_yaw_error,
            1,
            90,
            "How far the face may be turned from "
            "the view asked for, in degrees; 12 is recommended.",
            1,
        ),
        _number(
            "min_pitch",
            GATE.min_pitch,
            0,
            60,
            "How far the face has to be tilted in views "
            "from above and below, in degrees; 10 is recommended.",
            1,
        ),
        _check(
            "framing",
            "Whether a close-up has to be a close-up, and a full body a full body. Recommended on.",
        ),
        _number(
            "close_up_face",
            GATE.close_up_face,
            0,
            1,
            "From which height of the face on, as a "
            "share of the picture's or of the person's, a shot is a close-up. 0 takes 0.27, "
            "which suits adults; the demo's people have their own.",
        ),
        _number(
            "full_face",
            GATE.full_face,
            0,
            1,
            "Up to which height of the face a shot shows "
            "the full body. 0 takes 0.13, which suits adults; figures with large heads need "
            "more.",
        ),
        _check("persons", "Whether a second person fails a shot. Recommended on."),
        _check("identity", "Whether a shot has to be like the original. Recommended on."),
        _number(
            "min_identity",
            GATE.min_identity,
            -1,
            1,
            "How alike a shot from the front has to "
            "be: cosine of the CLIP_VISION embeddings. About 0.5 for the demo encoder, 0.6 for "
            "DINOv2, 0.8 for CLIP and SigLIP.",
        ),
        _number(
            "three_quarter_identity",
            GATE.three_quarter_identity,
            0,
            1,
            "Share of min_identity that three-quarter views have to reach.",
        ),
        _number(
            "profile_identity",
            GATE.profile_identity,
            0,
            1,
            "Share of min_identity that "
            "profiles have to reach: they show half a face, and embed lower.",
        ),
        _number(
            "back_identity",
            GATE.back_identity,
            0,
            1,
            "Share of min_identity that views from behind have to reach.",
        ),
        _check("sharpness", "Whether a blurred shot fails. Recommended on."),
        _number(
            "min_sharpness",
            GATE.min_sharpness,
            0,
            2,
            "How sharp a shot has to be, as a share "
            "of the original's sharpness at the same size; 0.3 is recommended.",
        ),
        _check(
            "duplicate",
            "Whether a shot that repeats the original or an accepted one fails. Recommended on.",
        ),
        _number(
            "max_alike",
            GATE.max_alike,
            0,
            1,
            "From which SSIM on, where the two differ most, a shot repeats another.",
        ),
        _number(
            "max_same_embedding",
            GATE.max_same_embedding,
            0,
            1,
            "From which cosine of the "
            "embeddings on it does; both have to be exceeded. Needs CLIP_VISION.",
        ),
    ]


def retry_inputs() -> list[io.Input]:
    """What happens after a shot that failed."""
    return [
        io.Int.Input(
            "tries",
            default=RULE.tries,
            min=1,
            max=10,
            tooltip="How often a shot is tried until it passes; the best try is kept. 3 is "
            "recommended.",
        ),
        io.Int.Input(
            "view_words_after",
            default=RULE.view_words_after,
            min=1,
            max=10,
            advanced=True,
            tooltip="After how many wrong views the view is said in stronger words; before that, "
            "another seed.",
        ),
        io.Boolean.Input(
            "stronger_words",
            default=RULE.stronger_words,
            advanced=True,
            tooltip="Says view and framing in stronger words when they came out wrong.",
        ),
        io.Boolean.Input(
            "stronger_likeness",
            default=RULE.stronger_likeness,
            advanced=True,
            tooltip="Holds more to the original when a shot shows somebody else, as far as the "
            "reference mode can.",
        ),
        io.Boolean.Input(
            "negative_words",
            default=RULE.negative_words,
            advanced=True,
            tooltip="Adds blur or a second person to the negative when a shot had them.",
        ),
        _number(
            "less_denoise",
            RULE.less_denoise,
            0.1,
            1,
            "With img2img: what denoise is multiplied by each time it was somebody else.",
        ),
        _number(
            "more_cfg",
            RULE.more_cfg,
            1,
            2,
            "What a cfg above 1 is multiplied by each time it "
            "was somebody else, once the negative does not see the original any more.",
        ),
    ]


class FacetShotOptions(io.ComfyNode):
    """The gates' thresholds and the rules of the retries."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetShotOptions",
            display_name=NAME,
            category="Facet/Shots",
            description="Every threshold of the gates and every rule of the retries, for the "
            "shooting nodes' options. All of it may stay as it is.",
            search_aliases=["gates", "thresholds", "retry", "quality control", "filter shots"],
            inputs=[
                *gate_inputs(),
                *retry_inputs(),
                io.Model.Input(
                    "person_detector",
                    optional=True,
                    tooltip="An RT-DETR model, loaded with Load Diffusion Model: finds whole "
                    "people, also from behind. Without it they are counted by faces.",
                ),
                sockets.ScoreCard.Input(
                    "score",
                    optional=True,
                    tooltip="From Facet Identity Scorer: min_identity becomes the likeness halfway "
                    "between strangers and this character, as measured with the same CLIP_VISION.",
                ),
            ],
            outputs=[
                sockets.ShotOptions.Output(
                    "options", tooltip="For the options of the Shot Generator or Turnaround Sheet."
                )
            ],
        )

    @classmethod
    def execute(
        cls, person_detector: Any = None, score: ScoreCard | None = None, **settings: Any
    ) -> io.NodeOutput:
        if person_detector is not None:
            with errors_from(cls):
                check_detector(person_detector)
        close, full = settings.get("close_up_face", 0.0), settings.get("full_face", 0.0)
        if close and full and close <= full:
            raise FacetError(
                f"{NAME}: close_up_face is {close:g} and full_face {full:g}; a close-up shows the "
                "face larger, so raise the one or lower the other."
            )
        if score is not None:
            settings["min_identity"] = halfway(score)
        return io.NodeOutput({**settings, "person_detector": person_detector})


def halfway(score: ScoreCard) -> float:
    """The cosine halfway between strangers and the character; FacetError when it is not known."""
    cosine = score.calibration.cosine(0.5)
    if cosine is None:
        raise FacetError(
            f"{NAME}: the score sets no min_identity. {score.calibration.problem} Or disconnect "
            "it, and set min_identity yourself."
        )
    return cosine


NODES = [FacetShotOptions]
