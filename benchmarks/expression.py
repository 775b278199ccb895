"""Whether an edited face shows what was asked for, is still the same person, and how long it takes.

    python facet.py bench expression [--quick] [--json]

Twelve held-out people of the demo world, each with every expression that the independent probe can
name: bent by the rig, and then with what a warp cannot show painted by the demo model. Identity is
0 for true pictures of strangers with these expressions and 1 for true pictures of the person. The
warp itself is measured on all twelve presets and on every slider both ways, and where each preset
stretches and presses the first person's picture is drawn into .facet/expression_folds.png.
``--quick`` takes two people.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from ..engine.core.character import Character, Provenance, Shot, Tags
from ..engine.demo.models import DemoModels, load_models
from ..engine.demo.people import demo_picture
from ..engine.generate.expression.edit import edit
from ..engine.generate.expression.editor import ExpressionEditor, ExpressionSettings
from ..engine.generate.expression.presets import ALL, PRESETS, requested_expressions
from ..engine.generate.expression.rig import displaced
from ..engine.generate.expression.subjects import preview, subject_of
from ..engine.generate.expression.table import SLIDERS
from ..engine.generate.expression.warp import LEAST_JACOBIAN, warp
from ..engine.vision.faces import Face, find_face
from ..world.demo_people import demo_scene
from ..world.probe import Probe
from ..world.scene import EXPRESSIONS, Scene
from ._bars import bar
from ._fold_maps import draw
from ._people import TRIGGER, Yardstick
from ._process import ROOT

PEOPLE, QUICK = 12, 2
PICTURE = ROOT / ".facet" / "expression_folds.png"
DENOISE, MOST_LOSS = 0.8, 0.1
SIZES = (512, 1024, 2048)


@torch.inference_mode()
def main(quick: bool) -> dict[str, Any]:
    """The figures and their bars."""
    models, probe = load_models(), Probe()
    people = []
    for number in range(QUICK if quick else PEOPLE):
        people.append(one_person(number, models, probe))
        print(people[-1], flush=True)
    draw(fold_maps(0, models), LEAST_JACOBIAN, PICTURE)
    print(f"Fold maps: {PICTURE}")
    folds = [least_jacobians(number, models) for number in range(len(people))]
    seconds = {size: warp_seconds(size, models) for size in SIZES}

    def mean(key: str) -> float:
        return fmean(person[key] for person in people)

    of_many = partial(bar, judged=not quick)
    return {
        "bars": {
            "expressions recognised after painting": of_many(mean("painted"), 0.85),
            "identity after painting (1 = true pictures)": of_many(mean("identity"), 0.8),
            "least Jacobian determinant of any warp": bar(min(folds), LEAST_JACOBIAN),
            "seconds for 1024 x 1024": of_many(seconds[1024], 0.5, "lower"),
            "seconds for 512 x 512": of_many(seconds[512], 0.1, "lower"),
            "seconds for the page's preview": of_many(preview_seconds(models), 0.1, "lower"),
        },
        "expressions recognised after the warp alone": mean("bent"),
        "seconds": seconds,
        "people": people,
    }


def one_person(number: int, models: DemoModels, probe: Probe) -> dict[str, Any]:
    """What the probe reads on demo person ``number`` with each expression."""
    picture = demo_picture(number)
    face = find_face(models.face, picture)
    if face is None:
        raise RuntimeError(f"No face was found on demo picture {number}.")
    character = Character(
        f"Person {number}", TRIGGER, "person", Shot(picture, Provenance("original"))
    )
    studio = replace(models.studio(), strengthen_likeness=False)
    settings = ExpressionSettings(
        neutralise=True,
        denoise=DENOISE,
        face_size=picture.shape[0],
        max_identity_loss=MOST_LOSS,
        show_original=True,
    )
    folder = Path(tempfile.gettempdir())  # no head turns so far that a shot is kept
    work = ExpressionEditor(character, settings, folder, models.judge(), studio, seed=number)
    bent = [edit(picture, face, PRESETS[name], neutralise=True).image for name in EXPRESSIONS]
    requests = requested_expressions("\n".join(EXPRESSIONS), "", 1.0, {}, ALL)
    framing = demo_scene(number).framing
    painted = [work.done(picture, face, one, Tags(framing, "front")).image for one in requests]
    scenes = [Scene(framing=framing, expression=name) for name in EXPRESSIONS]
    yardstick = Yardstick.of(probe, number, picture, scenes)
    after = probe.read(torch.stack(painted))
    return {
        "person": number,
        "bent": _recognised(probe.read(torch.stack(bent)).names("expression")),
        "painted": _recognised(after.names("expression")),
        "seen": dict(zip(EXPRESSIONS, after.names("expression"), strict=True)),
        "identity": yardstick.identity(after.embedding),
    }


def least_jacobians(number: int, models: DemoModels) -> float:
    """The least determinant over all presets and all sliders both ways, on that demo person."""
    picture = demo_picture(number)
    face = _face(models, picture)
    landmarks = torch.from_numpy(face.landmarks)
    sliders = list(PRESETS.values())
    sliders += [{one.name: value} for one in SLIDERS for value in (one.low, one.high)]
    return min(
        warp(picture, landmarks, displaced(landmarks, one, face.yaw), face.yaw).least_jacobian
        for one in sliders
    )


def fold_maps(number: int, models: DemoModels) -> dict[str, np.ndarray]:
    """The least determinants by cell of each preset, on that demo person."""
    picture = demo_picture(number)
    face = _face(models, picture)
    landmarks = torch.from_numpy(face.landmarks)
    return {
        name: warp(picture, landmarks, displaced(landmarks, one, face.yaw), face.yaw).folds
        for name, one in PRESETS.items()
    }


def warp_seconds(size: int, models: DemoModels) -> float:
    """Wall seconds of one laugh in a picture of ``size`` squared, the best of five."""
    small = demo_picture(0)
    face = _face(models, small)
    picture = (
        torch.nn.functional.interpolate(
            small.permute(2, 0, 1)[None], size=(size, size), mode="bicubic"
        )[0]
        .permute(1, 2, 0)
        .clamp(0, 1)
    )
    landmarks = torch.from_numpy(face.landmarks) * (size / small.shape[0])
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        warp(picture, landmarks, displaced(landmarks, PRESETS["laugh"], face.yaw), face.yaw)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def preview_seconds(models: DemoModels) -> float:
    """Wall seconds until the page has its answer at 512 px, the best of five."""
    small = demo_picture(0)
    picture = small.repeat_interleave(8, 0).repeat_interleave(8, 1)
    subject = subject_of(picture, _face(models, picture))
    taken = []
    for _ in range(5):
        begin = time.perf_counter()
        preview(subject, {"preset": "laugh", "sliders": {"gaze_x": 0.4}}, ALL)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def _face(models: DemoModels, picture: torch.Tensor) -> Face:
    face = find_face(models.face, picture)
    if face is None:
        raise RuntimeError("No face was found on a demo picture.")
    return face


def _recognised(names: list[str]) -> float:
    return fmean(seen == asked for seen, asked in zip(names, EXPRESSIONS, strict=True))
