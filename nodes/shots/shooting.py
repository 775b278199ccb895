"""The shooting itself, in the node that asked for it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from comfy_api.latest import io

from ...engine.core.character import Character, Shot
from ...engine.generate.shots.decisions import parse_decisions
from ...engine.generate.shots.make import Shoot, plain_shoot
from ...engine.generate.shots.plan import ShotPlan
from ...engine.generate.shots.sheet import draw_sheet
from ...engine.generate.shots.store import ShotStore
from ...engine.store.files import write_atomic
from ...engine.store.images import image_bytes
from ...engine.vision.pose import PoseModel
from ..common.errors import errors_from
from ..common.folders import character_folder
from .inputs import ShootInputs
from .page import ShotReporter, reported


def shoot(
    node: type[io.ComfyNode],
    character: Character,
    plan: ShotPlan,
    file: str,
    inputs: ShootInputs,
    kind: Callable[..., Shoot] = plain_shoot,
    pose_model: PoseModel | None = None,
) -> io.NodeOutput:
    """Makes the shots of ``plan`` for ``node``, which shows each as it comes.

    ``file``: what the sheet is called on the disk. ``kind``: sets up the shoot.
    """
    with errors_from(node):
        decisions = parse_decisions(inputs.decisions)
        studio = inputs.studio(character)
    gates, rules = inputs.judging(character, pose_model)
    with errors_from(node):
        shooting = kind(character, studio, gates, inputs.seed, rules)
    with reported(node, character, plan, decisions) as page:
        steps = studio.sampling.steps
        page.prepare(studio.model, studio.custom.steps(studio.sampling) if studio.custom else steps)
        shots = shooting.run(plan, ShotStore(page.grid.folder), page, page.step, decisions)
        return finished(character, shots, file, page)


def finished(
    character: Character, shots: list[Shot], file: str, page: ShotReporter
) -> io.NodeOutput:
    """The outputs of both shooting nodes: the character, the sheet (saved), the pictures."""
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
