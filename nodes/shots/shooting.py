"""The shooting itself, in the node that asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io

from ...engine.core.character import Character, Shot
from ...engine.generate.shots.decisions import parse_decisions
from ...engine.generate.shots.plan import ShotPlan
from ...engine.store.files import write_atomic
from ..common.errors import errors_from
from ..common.folders import character_folder
from .inputs import ShootInputs
from .page import ShotReporter, reported

if TYPE_CHECKING:
    from ...engine.generate.shots.make import Shoot
    from ...engine.vision.pose import PoseModel


def shoot(
    node: type[io.ComfyNode],
    character: Character,
    plan: ShotPlan,
    file: str,
    inputs: ShootInputs,
    kind: Callable[..., Shoot] | None = None,
    pose_model: PoseModel | None = None,
) -> io.NodeOutput:
    """Makes the shots of ``plan`` for ``node``, which shows each as it comes.

    ``file``: what the sheet is called on the disk. ``kind``: sets up the shoot;
    that of one character's shots when it is not given.
    """
    from ...engine.generate.shots.make import plain_shoot
    from ...engine.generate.shots.store import ShotStore

    with errors_from(node):
        decisions = parse_decisions(inputs.decisions)
        studio = inputs.studio(character)
    gates, rules = inputs.judging(character, pose_model)
    with errors_from(node):
        shooting = (kind or plain_shoot)(character, studio, gates, inputs.seed, rules)
    with reported(node, character, plan, decisions) as page:
        steps = studio.sampling.steps
        page.prepare(studio.model, studio.custom.steps(studio.sampling) if studio.custom else steps)
        shots = shooting.run(plan, ShotStore(page.grid.folder), page, page.step, decisions)
        return finished(character, shots, file, page)


def finished(
    character: Character, shots: list[Shot], file: str, page: ShotReporter
) -> io.NodeOutput:
    """The outputs of both shooting nodes: the character, the sheet (saved), the pictures."""
    from ...engine.generate.shots.sheet import draw_sheet
    from ...engine.store.images import image_bytes

    sheet: torch.Tensor = draw_sheet(character, shots)[None]
    page.grid.sheet = character_folder(character, file)
    write_atomic(page.grid.sheet, image_bytes(sheet[0]))
    page.end("finished")
    return io.NodeOutput(
        character.adding(shots),
        sheet,
        [shot.image[None] for shot in shots],
        ui={"facet_shots": [page.grid.view()]},
    )
