"""Everyday use of a finished LoRA: prompts in, pictures of the character out."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.progress import image_progress
from ...engine.core.character import Character
from ...engine.store.files import contained
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ..common.folders import character_folder, characters_folder
from ..common.lora_files import lora_state
from ..common.node import Node
from ..common.page import below_output
from .character_shot_inputs import (
    NOTHING,
    character_shot_inputs,
    check_character,
    chosen,
)

if TYPE_CHECKING:
    from ...engine.scoring.calibrate import Calibration
    from ...engine.scoring.score import ScoreCard
    from ...engine.vision.embedders import Embedder

LOGGER = logging.getLogger(__name__)


class FacetCharacterShot(Node):
    """Makes pictures of the character with its LoRA."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCharacterShot",
            display_name="Facet Character Shot",
            category="Facet/Identity",
            description="Makes images with a finished LoRA. The trigger is added to each prompt, "
            "the image is compared with the original, and retried with an adjusted "
            "prompt or strength when identity or view fails or when it copies a "
            "training image. The best is kept in output/facet/<character>/pictures.",
            search_aliases=["use lora", "character prompt", "consistent character", "best of"],
            is_output_node=True,
            inputs=character_shot_inputs(),
            outputs=[
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The best attempt at each image."
                ),
                io.Float.Output(
                    "scores",
                    is_output_list=True,
                    tooltip="Similarity of each image: the score, or the cosine where no score is "
                    "connected; NaN where it was not measured.",
                ),
                io.String.Output("report", tooltip="What was asked, measured and changed."),
                io.Image.Output("tries_sheet", tooltip="Every attempt, with the kept one framed."),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, lora_name: str | None = NOTHING, **_: Any) -> str:
        return lora_state(lora_name)

    @classmethod
    def execute(
        cls,
        studio: Studio,
        prompt: str,
        lora_name: str,
        lora_strength: float,
        seed: int,
        character: Character | None = None,
        lora: dict[str, torch.Tensor] | None = None,
        judge: Judge | None = None,
        score: ScoreCard | None = None,
        pictures: int = 1,
        tries: int = 3,
        min_likeness: float = 0.5,
        description: str = "",
    ) -> io.NodeOutput:
        from ...engine.comfyui.lora import LoraFile, agreed, read_lora
        from ...engine.generate.character_shot.conflicts import said_of
        from ...engine.generate.character_shot.judge import ImageJudge
        from ...engine.generate.character_shot.make import (
            CharacterCamera,
            CharacterShoot,
            prompt_lines,
        )
        from ...engine.generate.character_shot.report import report, sheet

        prompts = prompt_lines(prompt)
        path = chosen(lora_name, lora)
        known = read_lora(path) if path else LoraFile(lora) if lora is not None else None
        check_character(character, known is not None, studio.model)
        calls, note = agreed(character, known)
        name = known.character if character is None and known else ""
        judge = judge or Judge()
        embedder = judge.embedder
        scale, misfits = scale_of(score, calls.trigger, embedder)
        sampling = studio.sampling_by_prompt(character)
        shoot = CharacterShoot(
            CharacterCamera(studio, sampling, known, lora_strength),
            calls,
            ImageJudge(
                character, embedder, judge.face_model, scale, min_likeness, judge.background
            ),
            pictures_folder(character, name),
            said_of(character, description, known.says if known else ()),
            tries,
            studio.negative,
            [*filter(None, [note]), *misfits],
        )
        made = shoot.run(prompts, pictures, seed, image_progress())
        told = report(made, calls.text or name, [*shoot.notes, *shoot.judge.notes])
        for one in made:
            for conflict in one.conflicts:
                LOGGER.warning("Facet Character Shot: '%s' %s.", one.prompt, conflict.text)
        lora_told = "" if known is None else known.name
        texts = workflow_texts(cls.hidden)
        saved = [
            shoot.keep(one, one.record(lora_told, shoot.judge.measured_by), texts) for one in made
        ]
        values = [one.kept.verdict.value for one in made]
        return io.NodeOutput(
            [one.kept.image[None] for one in made],
            [float("nan") if value is None else value for value in values],
            told,
            sheet(made)[None],
            ui={"images": [shown(path) for path in saved], "text": (told,)},
        )


def pictures_folder(character: Character | None, name: str) -> Path:
    """Where the pictures go, below ComfyUI's output folder."""
    if character is not None:
        return character_folder(character, "pictures")
    folder = re.sub(r"[^\w-]+", "_", name).strip("_-")[:60] or "lora"
    return contained(characters_folder(), folder, "pictures")


def scale_of(
    score: ScoreCard | None, trigger: str, embedder: Embedder | None
) -> tuple[Calibration | None, list[str]]:
    """The scale that ``score`` sets, and what does not fit in it.

    One that was measured by something else than ``embedder`` sets none.
    """
    from ...engine.vision.embedders import label

    if score is None:
        return None, []
    notes = []
    if trigger and score.trigger != trigger:
        notes.append(
            f"The score is of the character with the trigger '{score.trigger}', not '{trigger}': "
            "its scale may not fit."
        )
    measured_by = score.settings.get("measured_by", "")
    if embedder is None or measured_by in ("", label(embedder)):
        return score.calibration, notes
    notes.append(
        f"The score was measured by another model ({measured_by}), so its scale does not fit; "
        "score with the models that are connected here."
    )
    return None, notes


def workflow_texts(hidden: Any) -> Mapping[str, str]:
    """What core's own nodes write into a picture, unless that was switched off."""
    if hidden is None:
        return {}
    told = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in told.items() if value}


def shown(path: Path) -> dict[str, str]:
    """A picture in the output folder as ComfyUI's page asks for it."""
    inside = Path(below_output(path) or path.name)
    folder = "" if inside.parent == Path() else inside.parent.as_posix()
    return {"filename": inside.name, "subfolder": folder, "type": "output"}


NODES = [FacetCharacterShot]
