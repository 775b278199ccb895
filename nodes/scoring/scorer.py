"""Whether the LoRA makes the character."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.lora_score import OFF, OWN
from ...engine.comfyui.progress import image_progress
from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ...engine.training.run_record import TrainingRun
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import pictures_of
from ..common.lora_files import lora_path, lora_state, own_lora_folders
from ..common.node import Node
from .inputs import scorer_inputs
from .page import REPORTS, shown

if TYPE_CHECKING:
    from ...engine.scoring.score import ScoreCard

LOGGER = logging.getLogger(__name__)


class FacetIdentityScorer(Node):
    """Scores how similar a LoRA's images are to the original."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetIdentityScorer",
            display_name="Facet Identity Scorer",
            category="Facet/Identity",
            description="Makes images without LoRA and with it, in clothes and places that the "
            "dataset does not name, and tells which checkpoint is most similar to the original, "
            "whether it follows the prompt and whether it copies training images. The report goes "
            "to output/facet/<character>/report.",
            search_aliases=[
                "likeness",
                "face similarity",
                "checkpoint comparison",
                "validate lora",
            ],
            is_output_node=True,
            inputs=scorer_inputs(),
            outputs=[
                sockets.ScoreCard.Output("score", tooltip="Everything that was measured."),
                io.Image.Output("report", tooltip="The report as an image."),
                io.LoraModel.Output("best_lora", tooltip="The best of the LoRAs that were tried."),
                io.String.Output("verdict", tooltip="What was found, in a few sentences."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, lora_name: str | None = "", **_: Any) -> str:
        return lora_state(lora_name)

    @classmethod
    def execute(
        cls,
        character: Character,
        studio: Studio,
        judge: Judge,
        seed: int,
        strengths: str,
        samples: int,
        run: TrainingRun | None = None,
        lora: dict[str, torch.Tensor] | None = None,
        checkpoints: int = 3,
        description: str = "",
        lora_name: str = "",
        prompts: str = "",
        trigger_only: int = 8,
        attributes: int = 4,
        leak_probes: int = 4,
        stamp: str = OWN,
        held_out: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        from ...engine.scoring.candidates import candidates_of, parse_strengths
        from ...engine.scoring.evaluate import evaluate
        from ...engine.scoring.held_out import unseen
        from ...engine.scoring.probes import (
            attribute_prompts,
            leak_prompts,
            own_prompts,
            trigger_prompts,
        )
        from ...engine.scoring.protocol import prompt_suite
        from ...engine.scoring.sampler import bench_of
        from ...engine.scoring.write import write_report
        from ...engine.store.images import ImageStore

        file = lora_path(lora_name) if lora_name else None
        evaluation = evaluate(
            character,
            candidates_of(run, lora, parse_strengths(strengths), checkpoints, file),
            bench_of(
                studio,
                judge,
                studio.sampling_by_prompt(character),
                unseen(pictures_of(held_out), character, studio.references),
            ),
            (
                *(own_prompts(prompts, seed) or prompt_suite(character, samples, seed)),
                *attribute_prompts(character, attributes, seed),
                *trigger_prompts(trigger_only, seed),
                *leak_prompts(leak_probes, seed),
            ),
            description.strip(),
            other_dataset(character, run),
            image_progress(),
            ImageStore(character_folder(character, REPORTS, "pictures")),
        )
        written = write_report(character_folder(character, REPORTS), character, evaluation)
        report, card = written.image[None], evaluation.card
        write_stamp(card, stamp)
        return io.NodeOutput(
            card,
            report,
            evaluation.best.load(),
            card.verdict,
            ui=shown(report, written.folder, cls),
        )


def write_stamp(card: ScoreCard, place: str = OWN) -> None:
    """Has the best LoRA's score go with its file, where it has one, and with Facet's own copies of
    that file; says so when it cannot."""
    from ...engine.scoring.stamp import copies, stamp

    if not card.best.path or card.calibration.problem or place == OFF:
        return
    path = Path(card.best.path)
    for file in (path, *copies(path, own_lora_folders())):
        try:
            written = stamp(file, card, place)
        except FacetError as error:
            LOGGER.warning("Facet Identity Scorer: %s", error)
        else:
            LOGGER.info("Facet Identity Scorer: the score is in %s", written)


def other_dataset(character: Character, run: TrainingRun | None) -> list[str]:
    """What to say when the run was trained on another dataset than the character's."""
    if run is None or run.character_hash == character.hash:
        return []
    known = {run.trigger, *(called.split()[0] for called in run.companions)}
    if character.trigger not in known:
        return [
            f"The run was trained with the trigger {run.trigger!r}, the character has "
            f"{character.trigger!r}: the LoRA has never learned the trigger it is prompted with."
        ]
    if run.companions:  # it was trained on two characters, and this is one of them
        return []
    return ["The run was trained on other images or captions than this character has now."]


NODES = [FacetIdentityScorer]
