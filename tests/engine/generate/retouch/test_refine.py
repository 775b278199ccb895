"""Refined shots are finer and the same character, and nothing is done to them twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags, quantise
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.retouch.finish import Colours, RefineSettings, upscaled
from facet.engine.generate.retouch.refine import REFINE_GATE, Refine, report
from facet.engine.generate.retouch.retouch import surroundings
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.sizes import resized
from facet.engine.studio.studio import Studio
from facet.engine.vision.faces import find_face
from facet.engine.vision.sharpness import relative_sharpness
from harness.upscale_models import sharpening_upscaler

SMALL = RefineSettings(
    upscale_by=1.0, detail_denoise=0.0, tile=128, overlap=32, face_denoise=0.0, face_size=128
)
DETAIL = replace(SMALL, detail_denoise=0.35)
FACE = replace(SMALL, face_denoise=0.4)
LARGER = replace(SMALL, upscale_by=2.0)
FRONT = Tags("close_up", "front", "neutral", lighting="natural")


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


def blurred(image: torch.Tensor) -> torch.Tensor:
    """(H, W, 3), each pixel the mean of three by three, twice."""
    picture = image.permute(2, 0, 1)[None]
    for _ in range(2):
        picture = torch.nn.functional.avg_pool2d(picture, 3, 1, 1, count_include_pad=False)
    return picture[0].permute(1, 2, 0)


def ada(*pictures: torch.Tensor) -> Character:
    """Demo person 4, with ``pictures`` as her shots."""
    shots = [
        Shot(picture, Provenance("generated"), caption=f"zqx {number}", tags=FRONT, weight=2.0)
        for number, picture in enumerate(pictures)
    ]
    original = Shot(demo_picture(4), Provenance("original"), tags=FRONT)
    return Character("Ada", "zqx", "person", original, (*shots,))


def refine(character: Character, settings: RefineSettings, models=None, **others: Any) -> Refine:
    studio = models and Studio(
        models.model,
        models.clip,
        models.vae,
        Sampling(128, 128, steps=8),
        ReferenceMode.REFERENCE_LATENTS,
    )
    if models:
        others = {"face_model": models.face, "clip_vision": models.clip_vision, **others}
    return Refine(character, settings, studio or None, **others)


@torch.inference_mode()
def test_a_blurred_shot_gets_sharper_and_stays_as_like_the_original(models, tmp_path):
    sharp = demo_picture(4)
    soft = blurred(sharp)
    character = ada(soft)
    [shot] = refine(character, DETAIL, models).run(ShotStore(tmp_path)).shots
    assert relative_sharpness(shot.image, sharp) > 1.2 * relative_sharpness(soft, sharp)
    score = shot.score(REFINE_GATE)
    assert score.passed and score.value > -0.03


@torch.inference_mode()
def test_an_upscale_model_restores_a_shot_at_its_size_or_larger(tmp_path, monkeypatch):
    model = sharpening_upscaler(tmp_path / "models", monkeypatch)
    sharp = demo_picture(4)
    soft = blurred(sharp)
    for by in (1.0, 1.5):
        settings = replace(SMALL, upscale_by=by)
        made = refine(ada(soft), settings, upscale_model=model).run(ShotStore(tmp_path / str(by)))
        [shot] = made.shots
        assert shot.image.shape[:2] == (int(128 * by), int(128 * by))
        assert relative_sharpness(shot.image, sharp) > 1.1 * relative_sharpness(soft, sharp)


@torch.inference_mode()
def test_a_large_picture_goes_through_the_upscale_model_in_tiles(tmp_path, monkeypatch):
    model = sharpening_upscaler(tmp_path, monkeypatch)
    image = resized(demo_picture(4), 70, 540)
    whole = model(image.permute(2, 0, 1)[None])[0].permute(1, 2, 0).clamp(0, 1)
    tiled = upscaled(model, image)
    off = (tiled - whole).abs()
    # A tile knows nothing beyond its border; that is blended away.
    assert off.max() < 0.03 and off.mean() < 1e-3


@torch.inference_mode()
def test_a_face_pass_changes_the_face_and_not_a_bit_around_it(models, tmp_path):
    picture = blurred(demo_picture(3))  # a medium shot: there is something around the face
    character = ada(picture)
    before = character.shots[0].image
    settings = replace(FACE, face_padding=0.3)
    made = refine(character, settings, models, max_identity_loss=1.0).run(ShotStore(tmp_path))
    after = made.shots[0].image
    left, top, right, bottom = surroundings(find_face(models.face, before), before, 0.3)
    inside = torch.zeros(before.shape[:2], dtype=torch.bool)
    inside[top:bottom, left:right] = True
    assert 0.02 < inside.float().mean() < 0.6
    assert torch.equal(quantise(before)[~inside], quantise(after)[~inside])
    assert (after - before)[inside].abs().mean() > 0.003


def seam(change: torch.Tensor, column: int) -> float:
    """How much ``change`` (H, W, 3) jumps before ``column``, beside its jumps close by."""
    steps = change.diff(dim=1).abs().mean(dim=(0, 2))
    nearby = torch.cat([steps[column - 9 : column - 2], steps[column + 1 : column + 8]])
    return float(steps[column - 1] / nearby.median())


@torch.inference_mode()
def test_the_seams_of_tiles_do_not_show(models, tmp_path):
    wide = resized(demo_picture(4), 256, 256)[60:188]
    character = ada(wide)
    seams = {}
    for overlap, columns in ((0, [128]), (32, [64, 128, 192])):
        settings = replace(DETAIL, overlap=overlap)
        made = refine(character, settings, models, max_identity_loss=2.0)
        [shot] = made.run(ShotStore(tmp_path)).shots
        change = shot.image - character.shots[0].image
        seams[overlap] = [seam(change, column) for column in columns]
    assert max(seams[0]) > 1.5
    assert max(seams[32]) < 1.5


@torch.inference_mode()
def test_what_would_become_somebody_else_stays_and_is_marked(models, tmp_path):
    character = ada(blurred(demo_picture(4)))
    store = ShotStore(tmp_path)
    kept = refine(character, DETAIL, models, max_identity_loss=-1.0).run(store)
    [shot] = kept.shots
    assert (shot.hash, shot.include, shot.accepted) == (character.shots[0].hash, True, True)
    assert shot.score(REFINE_GATE).note.startswith("refinement discarded")
    assert "refinement discarded" in report(kept)
    steps: list[int] = []
    [shot] = refine(character, DETAIL, models).run(store, None, lambda n, _: steps.append(n)).shots
    assert shot.hash != character.shots[0].hash
    assert steps == []


@torch.inference_mode()
def test_everything_but_the_picture_is_kept(tmp_path):
    character = ada(demo_picture(4), demo_picture(5))
    first, second = character.shots
    first = replace(first, mask=torch.ones(128, 128))
    second = replace(second, include=False)
    character = replace(character, shots=(first, second))
    made = refine(character, LARGER).run(ShotStore(tmp_path))
    shot = made.shots[0]
    assert made.source is character.source
    assert made.shots[1] is second
    assert shot.image.shape == (256, 256, 3) and shot.mask.shape == (256, 256)
    assert (shot.caption, shot.tags, shot.weight) == (first.caption, first.tags, first.weight)
    assert (shot.provenance.source, shot.provenance.parent) == ("edited", first.hash)
    assert "no CLIP_VISION" in shot.score(REFINE_GATE).note


@torch.inference_mode()
def test_a_cancel_keeps_what_is_done_and_nothing_is_done_twice(tmp_path):
    class Cancelled(Exception):
        pass

    def cancel(refined: Any) -> None:
        raise Cancelled

    character, store = ada(demo_picture(4), demo_picture(5)), ShotStore(tmp_path)
    with pytest.raises(Cancelled):
        refine(character, LARGER).run(store, cancel)
    found: list[bool] = []
    made = refine(character, LARGER).run(store, lambda refined: found.append(refined.found))
    assert found == [True, False]
    again = refine(character, LARGER).run(store, lambda refined: found.append(refined.found))
    assert found == [True, False, True, True]
    assert [shot.hash for shot in again.shots] == [shot.hash for shot in made.shots]


@torch.inference_mode()
def test_a_cast_goes_where_the_face_tells_the_originals_colours(models, tmp_path):
    cast = (demo_picture(4) * torch.tensor([1.0, 0.85, 0.7])).clamp(0, 1)
    natural, warm = ada(cast).shots[0], replace(ada(cast).shots[0], tags=Tags(lighting="warm"))
    settings = replace(SMALL, colours=Colours.ORIGINAL)
    for shot, moves in ((natural, True), (warm, False)):
        character = replace(ada(), shots=(shot,))
        made = refine(character, settings, face_model=models.face)
        after = made.run(ShotStore(tmp_path / str(moves))).shots[0].image
        true = demo_picture(4)
        nearer = (after - true).abs().mean() < 0.6 * (shot.image - true).abs().mean()
        assert bool(nearer) == moves


def test_what_leaves_nothing_to_do_is_refused(models, tmp_path: Path):
    with pytest.raises(ValueError, match="nothing to do; connect an upscale_model"):
        refine(ada(demo_picture(4)), SMALL, models)
    with pytest.raises(ValueError, match="no shots to refine"):
        refine(ada(), LARGER)
    with pytest.raises(ValueError, match="at most half of the tile"):
        RefineSettings(tile=128, overlap=96)
