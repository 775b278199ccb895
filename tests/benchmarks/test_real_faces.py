"""The benchmark on photographs measures what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facet.benchmarks import real_faces as bench
from facet.benchmarks._bars import bar
from facet.engine.vision.faces import find_face
from facet.real_faces.models import RealFaces
from facet.real_faces.photographs import LabelledFace

LIDS, NOSE_TIP = [159, 386], [1]


def test_a_face_is_the_labelled_one_that_lies_over_it(real_faces: RealFaces) -> None:
    one = real_faces.photographs["astronaut"]
    face = find_face(real_faces.model, one.image)
    assert face is not None
    [label] = one.faces
    assert bench.same_face(face, label)
    x0, y0, x1, y1 = label.box
    assert not bench.same_face(face, LabelledFace((x0 + 60, y0, x1 + 60, y1)))


def test_what_an_edit_moves_is_read_off_the_coordinates(real_faces: RealFaces) -> None:
    image = real_faces.photographs["audrey"].image
    face = find_face(real_faces.model, image)
    assert face is not None
    away = bench.moved(image, face, {"blink_l": 1.0, "blink_r": 1.0})
    assert (away[LIDS] @ bench.face_down(face) > 0.05 * bench.eye_distance(face)).all()
    assert np.abs(away[NOSE_TIP]).max() < 0.01 * bench.eye_distance(face)
    raised = bench.moved(image, face, {"brow_inner_r": 1.0, "brow_inner_l": 1.0})
    assert (raised[list(bench.BROWS)] @ bench.face_down(face)).min() < -0.02 * bench.eye_distance(
        face
    )


@pytest.mark.parametrize("name", bench.COPIES)
def test_a_copy_is_nearly_the_same_picture(real_faces: RealFaces, name: str) -> None:
    image = real_faces.photographs["audrey"].image
    copy = bench.COPIES[name](image)
    assert 0 < (bench.resized(copy, 0.2).mean() - image.mean()).abs() < 0.01
    assert copy.shape[0] / copy.shape[1] == pytest.approx(image.shape[0] / image.shape[1], 0.01)


def test_every_part_has_its_bars(real_faces: RealFaces) -> None:
    seen = real_faces.photographs
    few = [seen[name] for name in ("audrey", "cage", "connery", "norris_crop", "astronaut")]
    group = [seen["group_7"]]
    with torch.inference_mode():
        bars = {
            **bench.counted(real_faces.model, group, few[:1], bar)[0],
            **bench.views(real_faces.model, group, bar)[0],
            **bench.framings(real_faces.model, few[:2], bar)[0],
            **bench.blurs(real_faces.model, few, bar)[0],
            **bench.copies(few, bar)[0],
            **bench.blinks(real_faces.model, few[:1], bar)[0],
            **bench.smiles(real_faces.model, [few[0], few[4]], bar)[0],
        }
    assert len(bars) == 14 and all(one["value"] is not None for one in bars.values())
    assert bars["curator: blurred portraits found"]["value"] == 1
    assert bars["faces found that are none"]["value"] == 0
