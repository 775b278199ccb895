"""The demo's face-landmark model, in the place of core's MediaPipe model.

Two small networks: one finds the head in the whole picture, one reads 478 landmarks, the yaw and
the blendshapes from the head's crop. What core's face nodes ask of a FACE_DETECTION_MODEL is
`detect_batch`, `canonical_data` and `connection_sets`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

INPUT, LANDMARKS, BLENDSHAPES = 64, 478, 52


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def _trunk(widths: tuple[int, ...], features: int) -> nn.Sequential:
    """Pictures (N, 3, 64, 64) to features, halving the side at each width."""
    layers: list[nn.Module] = []
    before = 3
    for width in widths:
        layers += [_conv(before, width, 2), _conv(width, width)]
        before = width
    side = INPUT // 2 ** len(widths)
    return nn.Sequential(*layers, nn.Flatten(),
                         nn.Linear(before * side * side, features), nn.ReLU())


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
        return (points.view(-1, LANDMARKS, 3), self.shapes(hidden).float().sigmoid(),
                self.presence(hidden).float()[:, 0])


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
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border",
                         align_corners=False)


class DemoFaceModel:
    """Goes over the FACE_DETECTION_MODEL socket."""

    def __init__(
        self, finder: HeadFinder, reader: LandmarkReader, canonical: dict[str, np.ndarray],
        connections: dict[str, frozenset], blendshape_names: tuple[str, ...],
    ):
        self.finder, self.reader = finder.eval(), reader.eval()
        self.canonical_data = canonical
        self.connection_sets = connections
        self.blendshape_names = blendshape_names

    @torch.inference_mode()
    def detect_batch(
        self, images: list[np.ndarray], num_faces: int = 1, score_thresh: float = 0.5,
        variant: str = "short",
    ) -> list[list[dict[str, Any]]]:
        """The face on each picture (H, W, 3) uint8, as core's face dicts; [] for no face."""
        return [self._detect(image, score_thresh) for image in images]

    def _detect(self, image: np.ndarray, threshold: float) -> list[dict[str, Any]]:
        height, width = image.shape[:2]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
        picture = picture.div(127.5).sub(1)
        pad = (left, side - width - left, top, side - height - top)
        picture = F.pad(picture, pad, mode="constant", value=0.0)
        box, logit = self.finder(F.interpolate(picture, (INPUT, INPUT), mode="area"))
        box = box.clamp(0.02, 1.5)
        points, shapes, presence = self.reader(crop_heads(picture, box))
        score = float(torch.sigmoid(torch.minimum(logit, presence)))
        if score < threshold:
            return []
        scale = float(box[0, 2]) * side
        centre = np.array([float(box[0, 0]) * side - left, float(box[0, 1]) * side - top])
        local = points[0].numpy()
        xy = (local[:, :2] * scale + centre).astype(np.float32)
        canonical = local * 192 + np.array([96, 96, 0])
        return [{
            "bbox_xyxy": np.array([*xy.min(0), *xy.max(0)], np.float32),
            "blendshapes": dict(zip(self.blendshape_names, shapes[0].tolist(), strict=True)),
            "landmarks_xy": xy,
            "landmarks_3d": canonical.astype(np.float32),
            "presence": float(presence[0]),
            "score": score,
        }]
