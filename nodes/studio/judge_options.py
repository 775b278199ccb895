"""How strictly shots are measured, and how they are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.generate.shots.gates import SHOT_GATES
from ...engine.generate.shots.remedies import SWITCHES, RetryRules
from ..common import sockets
from ..common.node import Node, Settings
from .strictness import threshold_input, tries_input

if TYPE_CHECKING:
    from ...engine.scoring.score import ScoreCard

NAME = "Facet Judge Options"
RULE = RetryRules()


def _number(name: str, default: float, low: float, high: float, tooltip: str) -> io.Input:
    return io.Float.Input(
        name, default=default, min=low, max=high, step=0.01, advanced=True, tooltip=tooltip
    )


def gate_inputs() -> list[io.Input]:
    """Each gate's switch with its thresholds, as `engine.generate.shots.gates` says them."""
    inputs: list[io.Input] = []
    for gate in SHOT_GATES:
        inputs.append(io.Boolean.Input(SWITCHES[gate.name], default=True, tooltip=gate.text))
        inputs += [threshold_input(one, advanced=True) for one in gate.thresholds]
    return inputs


def retry_inputs() -> list[io.Input]:
    """What happens after a shot that failed."""
    return [
        tries_input(),
        io.Int.Input(
            "view_words_after",
            default=RULE.view_words_after,
            min=1,
            max=10,
            advanced=True,
            tooltip="After how many wrong views the prompt names the view more strongly; "
            "until then only the seed changes.",
        ),
        io.Boolean.Input(
            "stronger_words",
            default=RULE.stronger_words,
            advanced=True,
            tooltip="Names view and framing more strongly in the prompt when they were wrong.",
        ),
        io.Boolean.Input(
            "stronger_likeness",
            default=RULE.stronger_likeness,
            advanced=True,
            tooltip="Holds more closely to the original when the identity gate failed, as far "
            "as the reference mode can.",
        ),
        io.Boolean.Input(
            "negative_words",
            default=RULE.negative_words,
            advanced=True,
            tooltip="Adds blur or a second person to the negative prompt when a shot showed them.",
        ),
        _number(
            "less_denoise",
            RULE.less_denoise,
            0.1,
            1,
            "With img2img: factor for denoise each time the identity gate failed.",
        ),
        _number(
            "more_cfg",
            RULE.more_cfg,
            1,
            2,
            "Factor for a cfg above 1 each time the identity gate failed, once the "
            "negative prompt is encoded without the original.",
        ),
    ]


class FacetJudgeOptions(Node):
    """The gates' thresholds and the rules of the retries."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetJudgeOptions",
            display_name=NAME,
            category="Facet/Studio",
            description="All gate thresholds and retry rules, for the options of Facet Judge. The "
            "defaults are recommended.",
            search_aliases=["gates", "thresholds", "retry", "quality control", "filter shots"],
            inputs=[
                *gate_inputs(),
                *retry_inputs(),
                sockets.ScoreCard.Input(
                    "score",
                    optional=True,
                    tooltip="From Facet Identity Scorer: sets min_identity to the similarity "
                    "halfway between strangers and this character, measured with the same "
                    "CLIP_VISION.",
                ),
            ],
            outputs=[
                sockets.JudgeOptions.Output("options", tooltip="For the options of Facet Judge.")
            ],
        )

    @classmethod
    def execute(cls, score: ScoreCard | None = None, **settings: Any) -> io.NodeOutput:
        close, full = settings.get("close_up_face", 0.0), settings.get("full_face", 0.0)
        if close and full and close <= full:
            raise FacetError(
                f"close_up_face is {close:g} and full_face {full:g}; a close-up shows the "
                "face larger, so raise the one or lower the other."
            )
        if score is not None:
            settings["min_identity"] = halfway(score)
        return io.NodeOutput(Settings(settings))


def halfway(score: ScoreCard) -> float:
    """The cosine halfway between strangers and the character; FacetError when it is not known."""
    cosine = score.calibration.cosine(0.5)
    if cosine is None:
        raise FacetError(
            f"The score sets no min_identity. {score.calibration.problem} Or disconnect "
            "it, and set min_identity yourself."
        )
    return cosine


NODES = [FacetJudgeOptions]
