"""The shooting itself, in the node that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character, Shot
from ...engine.families.modes import ReferenceMode, resolve_mode
from ...engine.generate.shots.camera import Studio
from ...engine.generate.shots.decisions import parse_decisions
from ...engine.generate.shots.make import Shoot, plain_shoot
from ...engine.generate.shots.plan import ShotPlan
from ...engine.generate.shots.sheet import draw_sheet
from ...engine.generate.shots.store import ShotStore
from ...engine.store.files import write_atomic
from ...engine.store.images import image_bytes
from ...engine.vision.pose import PoseModel
from ..common.folders import character_folder
from .inputs import ShootInputs
from .page import Reporter, reported


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
    with said_by(node):
        decisions = parse_decisions(inputs.decisions)
        studio = inputs.studio(character)
    gates, rules = inputs.judging(character, pose_model)
    with said_by(node):
        shooting = kind(character, studio, gates, inputs.seed, rules)
    with reported(node, character, plan, decisions) as page:
        steps = studio.sampling.steps
        page.prepare(studio.model, studio.custom.steps(studio.sampling) if studio.custom else steps)
        shots = shooting.run(plan, ShotStore(page.grid.folder), page, page.step, decisions)
        return finished(character, shots, file, page)


def retouching_studio(
    model: Any, clip: Any, vae: Any, mode: str, negative: str, sampling: Mapping[str, Any]
) -> Studio | None:
    """The studio that makes parts of pictures anew; None without a model.

    sampling: the values of the sampling widgets but for the size; what is missing has its default.
    Raises ValueError when a model comes without what belongs to it.
    """
    if model is None:
        return None
    missing = [name for name, part in (("clip", clip), ("vae", vae)) if part is None]
    if missing:
        raise ValueError(
            f"A model is connected without {' and '.join(missing)}; connect what belongs to it."
        )
    given: dict[str, Any] = {
        "steps": 20,
        "cfg": 3.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        **sampling,
    }
    guidance = given.pop("guidance", 0.0) or None
    chosen = ReferenceMode(mode)
    if chosen is not ReferenceMode.IMG2IMG:
        chosen = resolve_mode(chosen, model)
    return Studio(
        model, clip, vae, Sampling(64, 64, **given, guidance=guidance), chosen, negative.strip()
    )


@contextmanager
def said_by(node: type[io.ComfyNode]) -> Iterator[None]:
    """Puts the node's name before what is wrong with what it was given."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{node.define_schema().display_name}: {error}") from error


def finished(character: Character, shots: list[Shot], file: str, page: Reporter) -> io.NodeOutput:
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
