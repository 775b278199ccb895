import math

import numpy as np
import pytest
import torch

from facet.engine.vision.faces import angles, find_face, find_faces

POINTS = 478


def canonical_face() -> dict[str, np.ndarray]:
    """A bowl of points with the nose at its middle, in the layout of core's face models (cm)."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(-7, 7, (POINTS, 2))
    depth = 8 - 0.09 * (xy**2).sum(axis=1)
    return {
        "canonical_vertices": np.column_stack([xy, depth]).astype(np.float32),
        "procrustes_indices": np.arange(POINTS),
        "procrustes_weights": np.ones(POINTS, np.float32),
    }


def turned(yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """Rotation of a camera with y up: the nose goes to ``yaw``, then up, the top leans right."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    about_z = np.array([[math.cos(r), math.sin(r), 0], [-math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def seen(rotation: np.ndarray, canonical: dict[str, np.ndarray], size: int = 512):
    """What core's detector would report of that face from far away, in a square picture."""
    points = canonical["canonical_vertices"] @ rotation.T
    scale = size / 40
    xy = np.column_stack([size / 2 + points[:, 0] * scale, size / 2 - points[:, 1] * scale])
    return {"landmarks_xy": xy, "landmarks_3d": np.column_stack([xy, -points[:, 2] * scale])}


@pytest.mark.parametrize(
    "asked", [(0, 0, 0), (-45, 0, 0), (45, 0, 0), (0, 20, 0), (0, 0, 15), (-60, -10, 8)]
)
def test_angles_are_those_the_head_was_turned_by(asked):
    from comfy_extras.mediapipe.face_geometry import transformation_matrix_from_detection

    canonical = canonical_face()
    detection = seen(turned(*asked), canonical)
    matrix = transformation_matrix_from_detection(detection, 512, 512, canonical)
    assert angles(matrix) == pytest.approx(asked, abs=6)


def test_yaw_is_negative_when_the_nose_is_left_of_the_face():
    from comfy_extras.mediapipe.face_geometry import transformation_matrix_from_detection

    canonical = canonical_face()
    detection = seen(turned(-40), canonical)
    nose = canonical["canonical_vertices"][:, 2].argmax()
    assert detection["landmarks_xy"][nose, 0] < detection["landmarks_xy"][:, 0].mean()
    matrix = transformation_matrix_from_detection(detection, 512, 512, canonical)
    assert angles(matrix)[0] < -30


@pytest.fixture(scope="module")
def core_model():
    """Core's own face model, with weights that see faces wherever they look."""
    from comfy_extras.mediapipe.face_landmarker import FaceLandmarker
    from comfy_extras.nodes_mediapipe import _CONTOUR_PARTS, FaceLandmarkerModel

    generator = torch.Generator().manual_seed(0)
    weights = dict.fromkeys(
        (f"topology.{part}" for part in (*_CONTOUR_PARTS, "irises", "nose")),
        torch.zeros(1, 2, dtype=torch.int32),
    )
    weights.update({key: torch.from_numpy(value) for key, value in canonical_face().items()})
    for variant in ("short", "full"):
        for name, value in FaceLandmarker(detector_variant=variant).state_dict().items():
            drawn = 0.05 * torch.randn(value.shape, generator=generator)
            if name.endswith("bias") and ("cls" in name or "presence" in name):
                drawn.fill_(3.0)
            elif name.endswith("bias") and "reg" in name and value.numel() % 16 == 0:
                boxes = drawn.view(-1, 16)  # width and height, then the two eyes, in 1/128
                boxes[:, 2:4], boxes[:, 4], boxes[:, 6] = 120, -12, 12
            key = name.replace("detector.", f"detector_{variant}.")
            weights[key] = drawn if value.is_floating_point() else value
    return FaceLandmarkerModel(weights)


@pytest.mark.parametrize("size", [(200, 300), (8, 8), (2500, 40)])
def test_faces_of_cores_model_come_largest_first_in_pixels_of_the_picture(core_model, size):
    image = torch.rand(*size, 3, generator=torch.Generator().manual_seed(0))
    faces = find_faces(core_model, image)
    areas = [face.area for face in faces]
    assert len(faces) > 1 and areas == sorted(areas, reverse=True)
    first = find_face(core_model, image)
    assert first is not None and first.box == faces[0].box
    assert first.landmarks.shape == (478, 2) and len(first.blendshapes) == 52
    assert 0.5 <= first.presence <= 1
    low, high = first.landmarks.min(axis=0), first.landmarks.max(axis=0)
    assert first.box == pytest.approx((*low, *high), rel=1e-3, abs=1e-2)


def test_a_picture_without_a_face_has_none(core_model, monkeypatch):
    for model in core_model.models.values():
        monkeypatch.setattr(model.mesh.head_presence.bias, "data", torch.full((1,), -9.0))
    assert find_faces(core_model, torch.zeros(64, 64, 3)) == []
    assert find_face(core_model, torch.zeros(64, 64, 3)) is None
