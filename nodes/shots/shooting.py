"""The shooting itself, in the node that asked for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io

from ...engine.core.character import Character, Shot
from ...engine.generate.shots.decisions import parse_decisions
from ...engine.generate.shots.plan import ShotPlan
from ...engine.generate.shots.remedies import gates_of, rules_from
from ...engine.store.files import write_atomic
from ...engine.studio.judge import Judge
from ..common.errors import errors_from
from ..common.folders import character_folder
from .page import ShotReporter, reported

if TYPE_CHECKING:
    from ...engine.generate.shots.make import Shoot
    from ...engine.studio.studio import Studio


@dataclass(frozen=True)
class ShootRequest:
    """What was set on a shooting node, by the ids of its inputs."""

    studio: Studio
    judge: Judge = field(default_factory=Judge)
    seed: int = 0
    decisions: str = ""


def shoot(
    node: type[io.ComfyNode],
    character: Character,
    plan: ShotPlan,
    file: str,
    asked: ShootRequest,
    kind: Callable[..., Shoot] | None = None,
) -> io.NodeOutput:
    """Makes the shots of ``plan`` for ``node``, which shows each as it comes.

    ``file``: what the sheet is called on the disk. ``kind``: sets up the shoot;
    that of one character's shots when it is not given.
    """
    from ...engine.generate.shots.make import plain_shoot
    from ...engine.generate.shots.store import ShotStore

    with errors_from(node):
        decisions = parse_decisions(asked.decisions)
        studio = asked.studio.for_shots_of(character)
        gates, rules = gates_of(asked.judge, character), rules_from(asked.judge.options)
        shooting = (kind or plain_shoot)(character, studio, gates, asked.seed, rules)
    with reported(node, character, plan, decisions) as page:
        page.prepare(studio.model, studio.steps)
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
