"""The dataset looked through by a person: what is in, how much it counts, and what it says."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any
from weakref import ref

import torch
from comfy_api.latest import io
from comfy_execution.graph_utils import ExecutionBlocker

from ...engine.core.character import Character, shot_record
from ...engine.dataset.curation import set_hash
from ...engine.dataset.curation_file import settle
from ...engine.studio.judge import Judge
from ...engine.vision.showing import measured
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import judge_input, panel_input
from ..common.node import Node
from .curator_page import show_gallery

if TYPE_CHECKING:
    from ...engine.dataset.lint import Report

PAGE = "comfyui-frontend"
"""What ComfyUI's page calls itself in the prompts that it queues."""
_HELD: set[str] = set()
"""Of this process: the decisions with which something was held, so that it is not held for ever."""
_LAST: dict[str, tuple[list[Any], Report]] = {}
"""The last report, so that going on measures nothing again: with which models, and what it says."""


class FacetDatasetCurator(Node):
    """A gallery of the dataset in the node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDatasetCurator",
            display_name="Facet Dataset Curator",
            category="Facet/Dataset",
            description="Shows the dataset and its problems: leave images out, weight them, "
            "correct tags and captions. Decisions are kept in the workflow and beside the "
            "dataset, by image.",
            search_aliases=["gallery", "review dataset", "edit captions", "lint", "exclude"],
            is_output_node=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                judge_input(
                    "Finds images that are nearly the same and those of somebody else, checks the "
                    "faces, and tags what untagged images show."
                ),
                io.Boolean.Input(
                    "review",
                    default=True,
                    optional=True,
                    tooltip="In the browser, the nodes that follow wait until you press Continue "
                    "for exactly these images. A prompt sent through the API never waits.",
                ),
                panel_input(
                    "curation",
                    "What was decided in the gallery, as JSON by the images' hashes: "
                    "include, weight, tags, caption.",
                ),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character as you decided."),
                io.String.Output("report", tooltip="The dataset's problems, and a score for it."),
            ],
            hidden=[
                io.Hidden.unique_id,
                io.Hidden.extra_pnginfo,
                io.Hidden.comfy_usage_source,
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, review: bool = True, curation: str = "", **_sockets: Any) -> str:
        # What was held is kept in ComfyUI's cache too, where a prompt over the API would find it.
        return str(time.time_ns()) if review and curation in _HELD else ""

    @classmethod
    def execute(
        cls,
        character: Character,
        judge: Judge | None = None,
        review: bool = True,
        curation: str = "",
    ) -> io.NodeOutput:
        judge = judge or Judge()
        shown_as = measured(character, judge.face_model, judge.person_detector).character
        settled = settle(character_folder(character), shown_as, curation)
        report = report_on(settled.outcome, judge)
        pictures = set_hash(character)
        # A script may send a workflow along, too, for the pictures that it makes.
        in_page = cls.hidden.comfy_usage_source == PAGE
        held = review and in_page and settled.curation.approved != pictures
        shown = show_gallery(cls, settled, report, review=review, held=held)
        if not held:
            _HELD.discard(curation)
            return io.NodeOutput(settled.outcome, report_text(settled.outcome, report), ui=shown)
        _HELD.add(curation)
        return io.NodeOutput(ExecutionBlocker(None), ExecutionBlocker(None), ui=shown)


def report_on(character: Character, judge: Judge) -> Report:
    """What the lint says of ``character``; the last report again when nothing has changed."""
    from ...engine.dataset.lint import lint

    told = [shot_record(shot) for shot in character.pictures]
    masks = [_digest(shot.mask) for shot in character.pictures]
    whole = [character.trigger, character.class_word, character.companions, told, masks]
    key = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
    models = (judge.clip_vision, judge.face_model, judge.face_embedder)
    with_models = [None if model is None else ref(model) for model in models]
    known = _LAST.get(key)
    if known is not None and known[0] == with_models:
        return known[1]
    report = lint(
        character,
        clip_vision=judge.clip_vision,
        face_model=judge.face_model,
        face_embedder=judge.face_embedder,
        background=judge.background,
    )
    _LAST.clear()
    _LAST[key] = (with_models, report)
    return report


def _digest(mask: torch.Tensor | None) -> str:
    return "" if mask is None else hashlib.sha256(mask.contiguous().numpy().tobytes()).hexdigest()


def report_text(character: Character, report: Report) -> str:
    """How many pictures are in, and what is wrong with them, in lines to read."""
    from ...engine.dataset.layouts import names_of
    from ...engine.dataset.lint.lines import report_lines

    total, inside = len(character.pictures), len(character.dataset)
    by_hand = sum(shot.by_hand for shot in character.dataset)
    said = f"{inside} of {total} images are in the dataset, {by_hand} with a caption by hand."
    return "\n".join([said, *report_lines(report, names_of(character))])


NODES = [FacetDatasetCurator]
