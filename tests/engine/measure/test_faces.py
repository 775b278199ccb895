import math

import numpy as np
import pytest

from facet.engine.measure.faces import angles

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
