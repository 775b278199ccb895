"""The demo's face-landmark model, in the place of core's MediaPipe model.

Two small networks: one finds the head in the whole picture, one reads 478 landmarks, the yaw and
the blendshapes from the head's crop. What core's face nodes ask of a FACE_DETECTION_MODEL is
`detect_batch`, `canonical_data` and `connection_sets`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..vision.measures import Detector, FaceMeasures

INPUT, LANDMARKS, BLENDSHAPES = 64, 478, 52

FRAMING_BANDS = (0.435, 0.305)
"""Face height as a share of the picture's from which on a picture of the demo's people is a
close-up, and up to which it is a full-body shot. Measured on 144 true pictures of each framing,
profiles among them: close-ups 0.46 to 0.58, medium shots 0.32 to 0.41, full bodies 0.22 to 0.29."""

MEASURES = FaceMeasures(detectors=(Detector("full"),), sees_everybody=True)
"""One network finds the heads, whichever variant is asked for."""

PART_SIDES = (0.5, 0.68)
PART_CONFIDENCE = 0.95
"""More faces than one are looked for in parts of these sides, as shares of the picture's short one;
a part shows no whole person, so its face has to be surer."""


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def _trunk(widths: tuple[int, ...], features: int) -> nn.Sequential:
    """Pictures (N, 3, 64, 64) to features, halving the side at each width."""
    layers: list[nn.Module] = []
    before = 3
    for width in widths:
        layers += [conv(before, width, stride=2), conv(width, width)]
        before = width
    side = INPUT // 2 ** len(widths)
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(before * side * side, features), nn.ReLU()
    )


class HeadFinder(nn.Module):
    """Whole pictures (N, 3, 64, 64) in -1..1 to centre x, y, side (0..1) and a face's logit."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = _trunk((16, 24, 32, 48), 96)
        self.head = nn.Linear(96, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        out = self.head(self.trunk(x)).float()
        return out[:, :3], out[:, 3]


class LandmarkReader(nn.Module):
    """Crops of heads (N, 3, 64, 64) to landmarks, blendshapes and presence.

    Landmarks (N, 478, 3) are in crop sides around the crop's centre, as `mean` plus `components`
    coordinates along `basis`, the principal directions of the training faces.
    """

    def __init__(self, components: int = 40):
        super().__init__()
        self.trunk = _trunk((24, 48, 80, 112), 192)
        self.coordinates = nn.Linear(192, components)
        self.shapes = nn.Linear(192, BLENDSHAPES)
        self.presence = nn.Linear(192, 1)
        self.register_buffer("mean", torch.zeros(LANDMARKS * 3))
        self.register_buffer("basis", torch.zeros(components, LANDMARKS * 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.trunk(x)
        points = self.mean + self.coordinates(hidden).float() @ self.basis.float()
        return (
            points.view(-1, LANDMARKS, 3),
            self.shapes(hidden).float().sigmoid(),
            self.presence(hidden).float()[:, 0],
        )


def crop_heads(pictures: Tensor, boxes: Tensor) -> Tensor:
    """Square crops (N, 3, 64, 64) of square pictures (N, 3, S, S).

    `boxes` (N, 3): centre x, y and side, in picture sides.
    """
    theta = torch.zeros(len(boxes), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = boxes[:, 2]
    theta[:, :, 2] = boxes[:, :2] * 2 - 1
    grid = F.affine_grid(theta, [len(boxes), 3, INPUT, INPUT], align_corners=False)
    ratio = float(boxes[:, 2].mean()) * pictures.shape[-1] / INPUT
    if ratio > 1.6:
        side = round(pictures.shape[-1] / ratio * 1.2)
        pictures = F.interpolate(pictures, (side, side), mode="area")
    return F.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


class DemoFaceModel:
    """Goes over the FACE_DETECTION_MODEL socket."""

    framing_bands = FRAMING_BANDS
    measures = MEASURES
    exact_blendshapes = True

    def __init__(
        self,
        finder: HeadFinder,
        reader: LandmarkReader,
        canonical: dict[str, np.ndarray],
        connections: dict[str, frozenset],
        blendshape_names: tuple[str, ...],
    ):
        self.finder, self.reader = fused(finder), fused(reader)
        self.canonical_data = canonical
        self.connection_sets = connections
        self.blendshape_names = blendshape_names

    @torch.inference_mode()
    def detect_batch(
        self,
        images: list[np.ndarray],
        num_faces: int = 1,
        score_thresh: float = 0.5,
        variant: str = "short",
    ) -> list[list[dict[str, Any]]]:
        """The faces on each picture (H, W, 3) uint8, as core's face dicts; [] for no face.

        num_faces: one, as the networks were trained, or 0 for all, as core has it.
        """
        return [self._faces(image, num_faces, score_thresh) for image in images]

    def _faces(self, image: np.ndarray, num_faces: int, threshold: float) -> list[dict[str, Any]]:
        height, width = image.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
        picture = picture.div(127.5).sub(1)
        pad = (left, side - width - left, top, side - height - top)
        whole = F.pad(picture, pad, mode="constant", value=0.0)
        found = self._detect(whole, [(-left, -top)], threshold)
        if num_faces == 1:
            return found
        places = windows(height, width)
        parts = torch.cat(
            [_small(picture[..., y : y + size, x : x + size]) for x, y, size in places]
        )
        again = self._detect(
            parts, [(x, y) for x, y, _ in places], PART_CONFIDENCE, [size for _, _, size in places]
        )
        apart = distinct([*found, *again])
        return apart if len(apart) > 1 and _elsewhere(apart, found) else found

    def _detect(
        self,
        pictures: Tensor,
        corners: list[tuple[int, int]],
        threshold: float,
        sides: list[int] | None = None,
    ) -> list[dict[str, Any]]:
        """The face in each of ``pictures`` (N, 3, S, S) in -1..1 that has one.

        Its place is told in pixels of the picture that they were cut from: ``corners`` and
        ``sides`` of the cuts, whose sides are S where none are given.
        """
        sides = sides or [pictures.shape[-1]] * len(corners)
        boxes, logits = self.finder(_small(pictures))
        # Most parts show no head; the reader, which costs the most, is shown the others only.
        heads = torch.nonzero(torch.sigmoid(logits) >= threshold).flatten().tolist()
        if not heads:
            return []
        boxes = boxes.clamp(0.02, 1.5)
        points, shapes, presence = self.reader(_heads(pictures[heads], boxes[heads]))
        scores = torch.sigmoid(torch.minimum(logits[heads], presence))
        faces = []
        for read, n in enumerate(heads):
            if scores[read] < threshold:
                continue
            (x, y), side = corners[n], sides[n]
            centre = np.array([float(boxes[n, 0]) * side + x, float(boxes[n, 1]) * side + y])
            local = points[read].numpy()
            xy = (local[:, :2] * (float(boxes[n, 2]) * side) + centre).astype(np.float32)
            canonical = local * 192 + np.array([96, 96, 0])
            faces.append(
                {
                    "bbox_xyxy": np.array([*xy.min(0), *xy.max(0)], np.float32),
                    "blendshapes": dict(
                        zip(self.blendshape_names, shapes[read].tolist(), strict=True)
                    ),
                    "landmarks_xy": xy,
                    "landmarks_3d": canonical.astype(np.float32),
                    "presence": float(presence[read]),
                    "score": float(scores[read]),
                }
            )
        return faces


def _small(pictures: Tensor) -> Tensor:
    """Square pictures (N, 3, S, S) as (N, 3, 64, 64)."""
    if pictures.shape[-1] == INPUT:
        return pictures
    return F.interpolate(pictures, (INPUT, INPUT), mode="area")


def _heads(pictures: Tensor, boxes: Tensor) -> Tensor:
    """Crops of heads, each as `crop_heads` cuts it alone.

    Pictures no larger than a crop are never made smaller first, so these go together.
    """
    if pictures.shape[-1] <= INPUT:
        return crop_heads(pictures, boxes)
    return torch.cat(
        [crop_heads(one[None], box[None]) for one, box in zip(pictures, boxes, strict=True)]
    )


def fused(network: nn.Module) -> nn.Module:
    """``network``, which is not trained any more, with each batch norm inside its convolution."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network.eval()
    for parent in list(network.modules()):
        layers = list(parent.named_children())
        for (name, layer), (after, norm) in pairwise(layers):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(layer, norm))
                setattr(parent, after, nn.Identity())
    return network


def windows(height: int, width: int) -> list[tuple[int, int, int]]:
    """Squares of a picture in which a second head may stand alone: left, top and side in pixels."""
    places = []
    for share in PART_SIDES:
        side = max(8, round(min(height, width) * share))
        across, down = (
            max(2, math.ceil((extent - side) / (side * 0.34)) + 1) for extent in (width, height)
        )
        places += [
            (int(x), int(y), side)
            for y in np.linspace(0, height - side, down).round()
            for x in np.linspace(0, width - side, across).round()
        ]
    return places


def _elsewhere(faces: list[dict[str, Any]], found: list[dict[str, Any]]) -> bool:
    """Whether one of ``faces`` stands outside of every face ``found`` in the whole picture.

    The eyes of one large face look, in a part of it, like a small one.
    """

    def inside(face: dict[str, Any], other: dict[str, Any]) -> bool:
        box, around = face["bbox_xyxy"], other["bbox_xyxy"]
        middle = (box[:2] + box[2:]) / 2
        return bool((around[:2] <= middle).all() and (middle <= around[2:]).all())

    return any(not any(inside(face, other) for other in found) for face in faces)


def distinct(faces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The faces that stand in different places, the surest of each."""

    def apart(box: np.ndarray, other: np.ndarray) -> bool:
        size = max((one[2:] - one[:2]).max() for one in (box, other))
        away = np.abs(box[:2] + box[2:] - other[:2] - other[2:]).max() / 2
        return bool(away >= 0.6 * size)

    kept: list[dict[str, Any]] = []
    for face in sorted(faces, key=lambda one: one["score"], reverse=True):
        if all(apart(face["bbox_xyxy"], other["bbox_xyxy"]) for other in kept):
            kept.append(face)
    return kept
