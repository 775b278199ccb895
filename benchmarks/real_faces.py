"""What Facet's measures say of photographs, seen by real face networks.

    python facet.py bench real_faces [--quick] [--json]

Group photographs, portraits and frames of a video out of packages (docs/test-packages.md), labelled
by hand: which faces there are, from which side, in which framing. A face is found when its middle
and that of its label lie in one another's box. Views are those of single faces, each cut out of its
picture with some room around. A blur is a Gaussian with a sigma of 1 % of the face's width; the
curator is asked about a set of portraits of which one is blurred, the gate about each portrait with
another one as the original. Copies are recompressed, made smaller, or cut at each edge. What an
edit moves is read off a picture whose colours are its own coordinates, in distances between the
middles of the eyes. ``--quick`` takes a few of each.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ..engine.core.character import Character, Provenance, Shot, Tags, quantise
from ..engine.dataset.lint import lint
from ..engine.dataset.lint.looks import Look, looks
from ..engine.dataset.lint.pictures import blurred
from ..engine.generate.expression.edit import edit
from ..engine.generate.expression.presets import PRESETS
from ..engine.generate.expression.run import copied_expression
from ..engine.generate.shots.gates import (
    FRAMING_GATE,
    SHARPNESS_GATE,
    VIEW_GATE,
    Gates,
    Thresholds,
)
from ..engine.generate.shots.reading import Reading
from ..engine.vision.alignment import five_points
from ..engine.vision.faces import Face, find_face, find_faces
from ..engine.vision.framing import MEASURED_VIEWS
from ..real_faces.models import RealFaces
from ..real_faces.photographs import LabelledFace, Photograph
from ._bars import Bar, bar

QUICK = 6
ROOM = 1.0
"""What is kept around a face that is cut out, on each side, in heights of the face."""
BLUR = 0.01
"""Sigma of a blur, in widths of the face."""
BROWS = (
    70, 63, 105, 66, 107, 46, 53, 52, 65, 55,
    300, 293, 334, 296, 336, 276, 283, 282, 295, 285,
)  # fmt: skip
CORNERS = [61, 291]
LEAST_SMILE = 0.02
"""How far a corner of the mouth goes up at least in a smile, in distances between the eyes."""


@torch.inference_mode()
def main(quick: bool) -> dict[str, Any]:
    """The figures and their bars."""
    seen = RealFaces.load()
    everything = list(seen.photographs.values())
    groups = [one for one in everything if len(one.faces) > 1]
    portraits = [one for one in everything if one.portrait]
    if quick:
        groups, portraits = groups[-1:], portraits[:QUICK]
    of_many = partial(bar, judged=not quick)
    parts: list[Callable[[], tuple[dict[str, Bar], dict[str, Any]]]] = [
        lambda: counted(seen.model, groups, portraits, of_many),
        lambda: views(seen.model, [*groups, *portraits], of_many),
        lambda: framings(seen.model, portraits, of_many),
        lambda: blurs(seen.model, portraits, of_many),
        lambda: copies(portraits, of_many),
        lambda: blinks(seen.model, portraits, of_many),
        lambda: smiles(seen.model, portraits, of_many),
    ]
    bars: dict[str, Bar] = {}
    figures: dict[str, Any] = {}
    for part in parts:
        some, more = part()
        bars |= some
        figures |= more
        print(more, flush=True)
    return {"bars": bars, **figures}


def counted(
    model: Any, groups: list[Photograph], portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """How many of the labelled faces are found, and what is found besides."""
    found, labelled, false = 0, 0, []
    missed = {}
    for one in [*groups, *portraits]:
        faces = find_faces(model, one.image)
        left = list(one.faces)
        for face in faces:
            match = next((label for label in left if same_face(face, label)), None)
            if match is None:
                false.append(one.name)
            else:
                left.remove(match)
        if len(one.faces) > 1:
            labelled += len(one.faces)
            found += len(one.faces) - len(left)
        if left:
            missed[one.name] = len(left)
    bars = {
        "faces of group photographs found": of_many(found / labelled, 0.9),
        "faces found that are none": bar(len(false), 0, "lower"),
    }
    return bars, {"faces": labelled, "missed": missed, "false": false}


def same_face(face: Face, label: LabelledFace) -> bool:
    """Whether ``face`` and the labelled one are one: each has the other's middle in its box."""
    x0, y0, x1, y1 = label.box
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    around = LabelledFace(face.box)
    return label.holds(*_middle(face)) and around.holds(*middle)


def _middle(face: Face) -> tuple[float, float]:
    return (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2


@dataclass(frozen=True)
class ViewedFace:
    """A face whose view is plain to see: its yaw, and by view asked for what the gate says."""

    name: str
    shows: str
    yaw: float | None
    passes: dict[str, bool | None]

    def passes_as(self, view: str) -> bool | None:
        """What the gate of ``view`` (front, three_quarter, profile) says, on the face's side."""
        side = self.shows.rsplit("_", 1)[-1]
        return self.passes[view if view == "front" else f"{view}_{side}"]


def views(
    model: Any, pictures: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """Which views pass the gate of which, for faces whose view is plain to see."""
    faces = []
    for one in pictures:
        image = one.image
        for number, face in enumerate(one.faces):
            if face.view:
                alone = cut_out(image, face)
                gates = Gates(alone, Thresholds(), model)
                reading = gates.read(alone)
                says = {
                    view: passed(gates, reading, VIEW_GATE, Tags(view=view))
                    for view in MEASURED_VIEWS
                }
                name = f"{one.name}, face {number}"
                faces.append(ViewedFace(name, face.view, reading.yaw, says))

    def share(asked: str, shown: str) -> float | None:
        """Of the faces that show ``shown``, those that pass as ``asked``; unmeasured ones apart."""
        said = [face.passes_as(asked) for face in faces if face.shows.startswith(shown)]
        judged = [one for one in said if one is not None]
        return fmean(judged) if judged else None

    right = {view: share(view, view) for view in ("front", "three_quarter", "profile")}
    bars = {
        "profiles that pass the gate of a profile": of_many(right["profile"], 0.5),
        "three-quarter views that pass it": of_many(share("profile", "three_quarter"), 0, "lower"),
    }
    turned = {face.name: face.yaw for face in faces if face.shows != "front"}
    return bars, {"views that pass their own gate": right, "yaws of turned faces": turned}


def cut_out(image: torch.Tensor, face: LabelledFace) -> torch.Tensor:
    """The part of ``image`` (H, W, 3) around ``face``."""
    x0, y0, x1, y1 = face.box
    room = ROOM * (y1 - y0)
    top, left = max(0, int(y0 - room)), max(0, int(x0 - room))
    return image[top : int(y1 + room), left : int(x1 + room)]


def passed(gates: Gates, reading: Reading, gate: str, tags: Tags) -> bool | None:
    """What ``gate`` says of a picture that was asked to show ``tags``; None: not measured."""
    [score] = [one for one in gates.judge(reading, tags) if one.gate == gate]
    return score.passed


def framings(
    model: Any, portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """Whether the gate agrees with the framing that a person sees."""
    right: dict[str, list[bool]] = {}
    wrong = {}
    for one in portraits:
        if not one.framing:
            continue
        gates = Gates(one.image, Thresholds(), model)
        reading = gates.read(one.image)
        agrees = bool(passed(gates, reading, FRAMING_GATE, Tags(one.framing)))
        right.setdefault(one.framing, []).append(agrees)
        if not agrees:
            wrong[one.name] = reading.face_height
    every = [agrees for some in right.values() for agrees in some]
    bars = {"framings named as a person does": of_many(fmean(every), 0.9)}
    return bars, {"framings": {key: fmean(some) for key, some in right.items()}, "wrong": wrong}


def blurs(
    model: Any, portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """Which portraits are called blurred, as they are and once they were."""
    sharp = [one for one in portraits if one.focus == "sharp"]
    images = [one.image for one in sharp]
    hazy = [
        gaussian(image, BLUR * (one.faces[0].box[2] - one.faces[0].box[0]))
        for one, image in zip(sharp, images, strict=True)
    ]
    clear, soft = looks(dataset(images), model), looks(dataset(hazy), model)
    called = [one.name for one, look in zip(sharp, clear, strict=True) if accused(look, clear)]
    found = [
        accused(look, [*clear[:number], look, *clear[number + 1 :]])
        for number, look in enumerate(soft)
    ]
    failed, passed_on = [], []
    for number, one in enumerate(sharp):
        gates = Gates(images[number - 1], Thresholds(), model)
        sharp_one, hazy_one = (gates.read(some[number]) for some in (images, hazy))
        if not passed(gates, sharp_one, SHARPNESS_GATE, Tags()):
            failed.append(one.name)
        if passed(gates, hazy_one, SHARPNESS_GATE, Tags()):
            passed_on.append(one.name)
    count = len(sharp)
    bars = {
        "curator: sharp portraits called blurred": of_many(len(called) / count, 0.03, "lower"),
        "curator: blurred portraits found": of_many(fmean(found), 0.95),
        "gate: sharp portraits called blurred": of_many(len(failed) / count, 0.03, "lower"),
        "gate: blurred portraits found": of_many(1 - len(passed_on) / count, 0.95),
    }
    return bars, {"called blurred": {"curator": called, "gate": failed}}


def accused(look: Look, among: list[Look]) -> bool:
    """Whether the curator calls ``look`` blurred in that set."""
    return any(look.shot.hash in finding.shots for finding in blurred(among))


def dataset(images: Iterable[torch.Tensor]) -> Character:
    """A character with ``images`` as its dataset, whoever is in them."""
    first, *others = (Shot(image, Provenance("imported"), caption="zqx person") for image in images)
    return Character("Photographs", "zqx", "person", first, tuple(others))


def gaussian(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """``image`` (H, W, 3) blurred by a Gaussian of ``sigma`` px."""
    from scipy.ndimage import gaussian_filter

    return torch.from_numpy(gaussian_filter(image.numpy(), (sigma, sigma, 0)))


def recompressed(image: torch.Tensor) -> torch.Tensor:
    """``image`` as a JPEG of quality 60."""
    file = io.BytesIO()
    Image.fromarray(quantise(image).numpy()).save(file, "JPEG", quality=60)
    return torch.from_numpy(np.asarray(Image.open(file), dtype=np.float32) / 255)


def resized(image: torch.Tensor, scale: float) -> torch.Tensor:
    """``image`` (H, W, 3) at ``scale``."""
    channels = image.movedim(-1, 0)[None]
    smaller = F.interpolate(channels, scale_factor=scale, mode="bilinear", antialias=True)
    return smaller[0].movedim(0, -1)


def trimmed(image: torch.Tensor, share: float) -> torch.Tensor:
    """``image`` without ``share`` of its sides at each edge, half of it at the top and left."""
    height, width = image.shape[:2]
    rows, columns = round(share * height), round(share * width)
    return image[rows // 2 : height - rows, columns // 2 : width - columns]


COPIES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "recompressed": recompressed,
    "at 60 %": partial(resized, scale=0.6),
    "cut by 1 %": partial(trimmed, share=0.01),
    "cut by 2 %": partial(trimmed, share=0.02),
}


def copies(
    portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """How many copies of portraits the curator finds, and which pairs it takes for copies."""
    images = [one.image for one in portraits]
    found: dict[str, float] = {}
    false: list[list[str]] = []
    for name, changed in COPIES.items():
        character = dataset([*images, *map(changed, images)])
        numbers = {
            shot.hash: number % len(portraits) for number, shot in enumerate(character.dataset)
        }
        pairs = [
            [numbers[shot] for shot in finding.shots]
            for finding in lint(character).findings
            if finding.kind == "near_duplicate"
        ]
        found[name] = len({one for one, other in pairs if one == other}) / len(portraits)
        false += [
            [portraits[one].name, portraits[other].name] for one, other in pairs if one != other
        ]
    bars = {
        "copies found": of_many(fmean(found.values()), 0.95),
        "pairs called copies that are none": bar(len(false), 0, "lower"),
    }
    return bars, {"copies found": found, "called copies": false}


def moved(image: torch.Tensor, face: Face, sliders: dict[str, float]) -> np.ndarray:
    """How far an edit moves what lies at each landmark of ``face``, (478, 2) px.

    The picture that is edited has its own coordinates for colours, so that each pixel of the result
    says where it comes from. Landmarks outside the picture do not move.
    """
    height, width = image.shape[:2]
    down, across = torch.meshgrid(
        (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij"
    )
    places = torch.stack([across, down, torch.zeros_like(across)], dim=-1)
    changed = edit(places, face, sliders).image - places
    grid = torch.from_numpy(face.landmarks / (width, height) * 2 - 1).float()
    there = F.grid_sample(
        changed.movedim(-1, 0)[None], grid[None, None], padding_mode="zeros", align_corners=False
    )
    return -there[0, :2, 0].T.numpy() * (width, height)


def eye_distance(face: Face) -> float:
    """px between the middles of the eyes."""
    right, left = five_points(face)[:2]
    return float(np.linalg.norm(left - right))


def at_rest(one: Photograph) -> bool:
    """Whether it shows a neutral face, and no glasses."""
    return one.expression == "neutral" and "glasses" not in one.note


def blinks(
    model: Any, portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """How far closing the eyes moves the brows."""
    brows = {}
    for one in portraits:
        face = find_face(model, one.image)
        if not at_rest(one) or face is None:
            continue
        moves = moved(one.image, face, PRESETS["closed"])[list(BROWS)]
        brows[one.name] = float(np.linalg.norm(moves, axis=1).max()) / eye_distance(face)
    bars = {"brows move in a blink, eye distances": of_many(max(brows.values()), 0.02, "lower")}
    return bars, {"brows in a blink": brows}


def smiles(
    model: Any, portraits: list[Photograph], of_many: Callable[..., Bar]
) -> tuple[dict[str, Bar], dict[str, Any]]:
    """What a smile that is copied does to the mouth and the brows of a neutral face."""
    smiling = [one for one in portraits if one.expression == "smile"]
    brows: dict[str, float] = {}
    corners: dict[str, float] = {}
    for target in portraits:
        face = find_face(model, target.image)
        if not at_rest(target) or face is None:
            continue
        for source in smiling:
            sliders = copied_expression(source.image, model)
            moves = moved(target.image, face, sliders) / eye_distance(face)
            pair = f"{source.name} on {target.name}"
            brows[pair] = float(np.linalg.norm(moves[list(BROWS)], axis=1).max())
            after = edit(target.image, face, sliders).landmarks
            assert after is not None
            away = (after - face.landmarks)[CORNERS] / eye_distance(face)
            corners[pair] = float((-away @ face_down(face)).min())
    bars = {
        "copied smiles with both corners up": of_many(
            fmean(up > LEAST_SMILE for up in corners.values()), 1
        ),
        "brows move in a copied smile, eye distances": of_many(max(brows.values()), 0.02, "lower"),
    }
    return bars, {"brows in a smile": brows, "corners in a smile": corners}


def face_down(face: Face) -> np.ndarray:
    """The unit vector (2,) from the forehead of ``face`` to its chin."""
    right, left = five_points(face)[:2]
    along = (left - right) / np.linalg.norm(left - right)
    return np.array([-along[1], along[0]])
