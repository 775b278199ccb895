"""Everyday use of a finished LoRA: prompts in, pictures of the character out."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
import torch
from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.store.files import contained
from ..common.errors import errors_from
from ..common.likeness import embedder_for
from ..common.lora_files import lora_state
from ..common.page import below_output
from .character_shot_inputs import (
    NOTHING,
    character_shot_inputs,
    check_character,
    chosen,
    sampling_for,
)
from .scorer import shown_progress

if TYPE_CHECKING:
    from ...engine.scoring.calibrate import Calibration
    from ...engine.scoring.score import ScoreCard
    from ...engine.vision.embedders import Embedder

LOGGER = logging.getLogger(__name__)


class FacetCharacterShot(io.ComfyNode):
    """Makes pictures of the character with its LoRA."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCharacterShot",
            display_name="Facet Character Shot",
            category="Facet/Identity",
            description="Makes pictures with a finished LoRA. The trigger is put into each prompt, "
            "the picture is held against the original, and tried again in other words or at "
            "another strength when it is somebody else, looks the wrong way or repeats a training "
            "picture. The best is kept in output/facet/<character>/pictures.",
            search_aliases=["use lora", "character prompt", "consistent character", "best of"],
            is_output_node=True,
            inputs=character_shot_inputs(),
            outputs=[
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The best try of each picture."
                ),
                io.Float.Output(
                    "scores",
                    is_output_list=True,
                    tooltip="How alike each picture is: the score, or the cosine without a scale; "
                    "not a number where nothing measured it.",
                ),
                io.String.Output("report", tooltip="What was asked, measured and changed."),
                io.Image.Output("tries_sheet", tooltip="Every try, with the kept one framed."),
            ],
            hidden=[io.Hidden.prompt, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, lora_name: str | None = NOTHING, **_: Any) -> str:
        return lora_state(lora_name)

    @classmethod
    def execute(
        cls,
        model: Any,
        clip: Any,
        vae: Any,
        prompt: str,
        lora_name: str,
        lora_strength: float,
        seed: int,
        character: Character | None = None,
        lora: dict[str, torch.Tensor] | None = None,
        clip_vision: Any = None,
        face_detection_model: Any = None,
        score: ScoreCard | None = None,
        pictures: int = 1,
        tries: int = 3,
        min_likeness: float = 0.5,
        description: str = "",
        negative: str = "",
        face_embedder: Embedder | None = None,
        look_at: str = "whole",
        background_removal: Any = None,
        **sampling_widgets: Any,
    ) -> io.NodeOutput:
        from ...engine.comfyui.lora import LoraFile, agreed, read_lora
        from ...engine.comfyui.models import Models
        from ...engine.generate.character_shot.conflicts import said_of
        from ...engine.generate.character_shot.judge import Judge
        from ...engine.generate.character_shot.make import (
            CharacterCamera,
            CharacterShoot,
            prompt_lines,
        )
        from ...engine.generate.character_shot.report import report, sheet

        with errors_from(cls):
            prompts = prompt_lines(prompt)
            path = chosen(lora_name, lora)
            known = read_lora(path) if path else LoraFile(lora) if lora is not None else None
            check_character(character, known is not None, model)
            calls, note = agreed(character, known)
            name = known.character if character is None and known else ""
            embedder = embedder_for(
                clip_vision, face_embedder, look_at, face_detection_model, background_removal
            )
            scale, misfits = scale_of(score, calls.trigger, embedder)
            sampling = sampling_for(character, model, **sampling_widgets)
            shoot = CharacterShoot(
                CharacterCamera(Models(model, clip, vae), sampling, known, lora_strength),
                calls,
                Judge(
                    character,
                    embedder,
                    face_detection_model,
                    scale,
                    min_likeness,
                    background_removal,
                ),
                pictures_folder(character, name),
                said_of(character, description, known.says if known else ()),
                tries,
                negative,
                [*filter(None, [note]), *misfits],
            )
            made = shoot.run(prompts, pictures, seed, shown_progress())
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
    folder = "" if character is None else character.folder_name
    folder = folder or re.sub(r"[^\w-]+", "_", name).strip("_-")[:60] or "lora"
    return contained(Path(folder_paths.get_output_directory()), "facet", folder, "pictures")


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
    from comfy.cli_args import args

    if args.disable_metadata or hidden is None:
        return {}
    told = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in told.items() if value}


def shown(path: Path) -> dict[str, str]:
    """A picture in the output folder as ComfyUI's page asks for it."""
    inside = Path(below_output(path) or path.name)
    folder = "" if inside.parent == Path() else inside.parent.as_posix()
    return {"filename": inside.name, "subfolder": folder, "type": "output"}


NODES = [FacetCharacterShot]
