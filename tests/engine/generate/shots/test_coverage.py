"""What a plan wants and what is there of it: counted, written, drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.generate.shots.coverage import MISSING, THERE, coverage, coverage_image, looked_at
from facet.engine.generate.shots.plan import ShotPlan, from_lines
from facet.engine.generate.shots.presets import PRESETS
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import Scene

PLAN = PRESETS["full character (40)"]((), ())


def shot(tags: Tags, seed: int = 0) -> Shot:
    image = torch.rand(8, 8, 3, generator=torch.Generator().manual_seed(seed))
    return Shot(image, Provenance("generated"), tags=tags)


@pytest.fixture
def ada() -> Character:
    shots = [shot(request.tags, seed) for seed, request in enumerate(PLAN.requests[:14], 1)]
    source = Shot(torch.rand(8, 8, 3), Provenance("original"), tags=Tags("close_up", "front"))
    return Character("Ada", "zqx", "person", source, tuple(shots))


def test_every_axis_adds_up_to_the_plan(ada):
    found = coverage(PLAN, ada)
    assert (found.wanted, found.missing) == (40, 26)
    for axis in ("framing", "view", "outfit", "background", "lighting"):
        rows = [row for row in found.rows if row.axis == axis]
        assert sum(row.wanted for row in rows) == 40
        assert sum(row.have for row in rows) == 14
    assert found.missing == len(PLAN.missing_from(ada).requests)
    assert json.loads(json.dumps(found.record())) == found.record()


def test_the_table_has_a_line_for_every_value(ada):
    table = coverage(PLAN, ada).table()
    assert table.startswith("40 shots planned, 14 there, 26 to make")
    assert len([line for line in table.splitlines() if " of " in line]) == len(
        coverage(PLAN, ada).rows
    )


def boxes(image: torch.Tensor, colour: str) -> int:
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return int((np.abs(image.numpy() * 255 - wanted).max(axis=-1) < 1).sum())


def test_the_picture_shows_what_is_there_beside_what_is_to_be_made(ada):
    nothing, some = coverage_image(coverage(PLAN)), coverage_image(coverage(PLAN, ada), "Ada")
    assert nothing.shape == some.shape and some.shape[1] == 1600
    # The legend has a box of each colour as well.
    assert boxes(some, THERE) > 5 * boxes(nothing, THERE)
    assert boxes(some, MISSING) < boxes(nothing, MISSING)


@pytest.mark.parametrize("lines", ["front view", "an owl", "wearing " + "a very long coat " * 20])
def test_any_plan_can_be_drawn(lines):
    assert coverage_image(coverage(from_lines(lines))).ndim == 3
    assert coverage_image(coverage(ShotPlan(()))).ndim == 3


def test_untagged_pictures_count_for_what_their_faces_show(demo_models):
    face = demo_models.face
    person = Identity.from_seed(HELD_OUT_FROM + 7003)

    def picture(view: str, framing: str) -> Shot:
        drawn = render(person, Scene(view=view, framing=framing), 128).image
        return Shot(torch.from_numpy(drawn.copy()).float() / 255, Provenance("imported"))

    plan = from_lines("close-up, front view\nfull body, left profile\nback view")
    original = picture("front", "close_up")
    shots = (picture("profile_left", "full"), picture("back", "medium"))
    bo = Character("Bo", "zqx", "person", original, shots)
    assert coverage(plan, bo).missing == 3
    seen = looked_at(bo, face)
    assert coverage(plan, seen).missing == 1
    assert seen.shots[1].tags == Tags()
