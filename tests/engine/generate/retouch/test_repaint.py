"""Parts of a picture made anew where a mask says: what changes, what cannot, what is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.retouch.repaint import _region, repainted, shown_as
from facet.engine.generate.retouch.retouch import Retoucher
from facet.engine.studio.studio import Studio
from facet.engine.vision.faces import Face, find_face

PICTURE = demo_picture(3)


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture(scope="module")
def face(models: DemoModels) -> Face:
    found = find_face(models.face, PICTURE)
    assert found is not None
    return found


def mouth(face: Face) -> torch.Tensor:
    """A soft mask around the mouth."""
    x, y = face.landmarks[[61, 291]].mean(0)
    rows, columns = torch.arange(128.0)[:, None], torch.arange(128.0)[None]
    away = ((rows - y) ** 2 + (columns - x) ** 2).sqrt()
    return ((14 - away) / 6).clamp(0, 1)


def test_only_what_the_mask_covers_is_made_anew(models: DemoModels, face: Face):
    character = Character("Ada", "zqx", "person", Shot(PICTURE, Provenance("original")))
    studio = Studio(
        models.model, models.clip, models.vae, Sampling(64, 64, steps=4), ReferenceMode.IMG2IMG
    )
    retoucher = Retoucher(character, studio, 1, 128 * 128)
    mask = mouth(face)
    made = repainted(retoucher, PICTURE, mask, face, Tags("close_up", "front"), 0.6, 128)
    assert torch.equal(made[mask == 0], PICTURE[mask == 0])
    changed = (made - PICTURE).abs().mean(-1)
    assert float(changed[mask == 1].mean()) > 0.01
    assert made.isfinite().all()
    empty = torch.zeros(128, 128)
    assert repainted(retoucher, PICTURE, empty, face, Tags(), 0.6, 128) is PICTURE


def test_the_model_sees_a_close_up_where_its_size_holds_it_and_else_what_moved(face: Face):
    mask = mouth(face)
    assert _region(PICTURE, mask, face, 128) == (0, 0, 128, 128)
    assert shown_as(Tags("medium", "front"), PICTURE, 128) == Tags("medium", "front")
    assert shown_as(Tags("medium", "front"), PICTURE, 127) == Tags("close_up", "front")
    left, top, right, bottom = _region(PICTURE, mask, face, 120)
    x0, y0, x1, y1 = face.box
    assert right - left == bottom - top
    assert (right - left) / max(x1 - x0, y1 - y0) == pytest.approx(2, abs=0.05)
    assert left <= x0 and top <= y0 and right >= x1 and bottom >= y1

    near = _region(PICTURE, mask, face, 64)
    assert near[2] - near[0] < right - left
    rows, columns = (mask > 0).nonzero().T
    assert near[0] <= columns.min() and near[2] > columns.max()
    assert near[1] <= rows.min() and near[3] > rows.max()


def test_a_face_at_the_border_is_seen_without_leaving_the_picture(face: Face):
    moved = replace(face, box=(-20.0, -20.0, 30.0, 30.0))
    assert _region(PICTURE, mouth(face), moved, 110) == (0, 0, 100, 100)
    wide = PICTURE[:40].repeat(1, 8, 1)
    covered = torch.ones(wide.shape[:2])
    covered[:, 128:] = 0
    left, top, right, bottom = _region(wide, covered, moved, 110)
    assert (top, bottom) == (0, 40)
    assert 0 <= left < right <= wide.shape[1]
