"""Whether the LoRA makes the character."""

from __future__ import annotations

from typing import Any

import torch
from comfy.utils import ProgressBar
from comfy_api.latest import io, ui
from PIL import Image

from ..engine.character import Character, quantise
from ..engine.run import TrainingRun
from . import sockets
from .folders import character_folder
from .inputs import (
    face_detection_input,
    model_inputs,
    negative_input,
    sampling_from,
    sampling_inputs,
)

PREVIEW_SIDE = 512


class FacetIdentityScorer(io.ComfyNode):
    """Scores a LoRA's likeness to the original."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetIdentityScorer",
            display_name="Facet Identity Scorer",
            category="Facet/Identity",
            description="Makes pictures with the LoRA off and on, in clothes and places that the "
            "dataset does not name, and says which checkpoint is most like the original, whether "
            "it obeys the prompt and whether it copies. The report goes to "
            "output/facet/<character>/report.",
            search_aliases=[
                "likeness",
                "face similarity",
                "checkpoint comparison",
                "validate lora",
            ],
            is_output_node=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character, with its dataset."),
                *model_inputs(),
                io.ClipVision.Input(
                    "clip_vision", tooltip="Measures how alike each picture is to the original."
                ),
                *sampling_inputs(),
                io.String.Input(
                    "strengths",
                    default="1.0",
                    tooltip="LoRA strengths to try, such as '0.8, 1.0'. The LoRA off is always "
                    "measured.",
                ),
                io.Int.Input(
                    "samples",
                    default=12,
                    min=1,
                    max=200,
                    tooltip="How many prompts: the best checkpoint is measured on all of them, the "
                    "others on the first four. 12 or more give a firm figure.",
                ),
                sockets.Run.Input(
                    "run", optional=True, tooltip="The training run whose checkpoints to compare."
                ),
                io.LoraModel.Input(
                    "lora", optional=True, tooltip="One LoRA to score, where there is no run."
                ),
                face_detection_input("views are not scored"),
                io.Int.Input(
                    "checkpoints",
                    default=3,
                    min=1,
                    max=50,
                    optional=True,
                    advanced=True,
                    tooltip="How many of the run's checkpoints to try, evenly spread to the last.",
                ),
                io.String.Input(
                    "description",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="The character in words, such as 'a woman with short red hair and "
                    "glasses'. When given, it is scored beside, without the LoRA.",
                ),
                negative_input(),
            ],
            outputs=[
                sockets.ScoreCard.Output("score", tooltip="Everything that was measured."),
                io.Image.Output("report", tooltip="The report as a picture."),
                io.LoraModel.Output("best_lora", tooltip="The best of the LoRAs that were tried."),
                io.String.Output("verdict", tooltip="What was found, in a sentence."),
            ],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        model: Any,
        clip: Any,
        vae: Any,
        clip_vision: Any,
        seed: int,
        strengths: str,
        samples: int,
        run: TrainingRun | None = None,
        lora: dict[str, torch.Tensor] | None = None,
        face_detection_model: Any = None,
        checkpoints: int = 3,
        description: str = "",
        negative: str = "",
        **sampling_widgets: Any,
    ) -> io.NodeOutput:
        from ..engine.identity.candidates import candidates_of, parse_strengths
        from ..engine.identity.evaluate import Bench, evaluate
        from ..engine.identity.protocol import prompt_suite
        from ..engine.identity.write import write_report

        try:
            evaluation = evaluate(
                character,
                candidates_of(run, lora, parse_strengths(strengths), checkpoints),
                Bench(
                    model,
                    clip,
                    vae,
                    clip_vision,
                    sampling_from(character, **sampling_widgets),
                    face_detection_model,
                    negative.strip(),
                ),
                prompt_suite(character, samples, seed),
                description.strip(),
                other_dataset(character, run),
                shown_progress(),
            )
        except ValueError as error:
            raise ValueError(f"Facet Identity Scorer: {error}") from error
        report = write_report(character_folder(character, "report"), character, evaluation)[None]
        card = evaluation.card
        return io.NodeOutput(
            card,
            report,
            evaluation.best.load(),
            card.verdict,
            ui=ui.PreviewImage(report, cls=cls),
        )


def other_dataset(character: Character, run: TrainingRun | None) -> list[str]:
    """What to say when the run was trained on something else than the character connected."""
    if run is None or run.character_hash == character.hash:
        return []
    known = {run.trigger, *(called.split()[0] for called in run.companions)}
    if character.trigger not in known:
        return [
            f"The run was trained with the trigger {run.trigger!r}, the character has "
            f"{character.trigger!r}: it was asked for by a word that it never learned."
        ]
    if run.companions:  # it was trained on two characters, and this is one of them
        return []
    return ["The run was trained on other pictures or captions than this character has now."]


def shown_progress() -> Any:
    """Tells ComfyUI of each picture as it is made, with the picture."""
    bar = ProgressBar(1)

    def show(done: int, total: int, image: torch.Tensor) -> None:
        preview = Image.fromarray(quantise(image).numpy())
        bar.update_absolute(done, total, ("JPEG", preview, PREVIEW_SIDE))

    return show


NODES = [FacetIdentityScorer]
