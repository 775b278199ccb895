"""All that a run trains on, encoded at once, and what is said about data that will not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_base
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.training.data.encoded import (
    TrainingData,
    deciding,
    encode_data,
    held_out,
    remarks,
)
from facet.engine.training.settings import TrainingSettings
from harness.small_models import SmallModels, small_unet

Encode = Callable[..., TrainingData]


@pytest.fixture
def encode(models: SmallModels, character: Character, tmp_path: Path) -> Encode:
    """Encodes for the small Flux, inside inference mode as nodes run."""

    def call(
        settings: TrainingSettings | None = None,
        shots: Any = character.dataset,
        held_out: Any = (),
        model: Any = models.model,
    ) -> TrainingData:
        with torch.inference_mode():
            return encode_data(
                model,
                models.clip,
                models.vae,
                character,
                shots,
                settings or TrainingSettings(),
                tmp_path,
                held_out,
            )

    return call


def test_every_caption_that_may_be_drawn_is_encoded(encode: Encode, character: Character) -> None:
    *shots, last = character.dataset
    data = encode(TrainingSettings(flip=True, prior_class=1.0), shots, [last])
    assert len(data.samples) == 6
    assert [sample.caption for sample in data.held_out] == [last.caption]
    wanted = {""} | {sample.caption for sample in (*data.samples, *data.held_out)}
    assert data.prompts.keys() == wanted | {f"person, picture {n}" for n in range(3)}
    assert {sample.prior_caption for sample in data.samples} <= data.prompts.keys()
    assert not any(sample.latent.is_inference() for sample in data.samples)


def test_nothing_more_is_encoded_than_is_used(encode: Encode, character: Character) -> None:
    data = encode()
    assert data.prompts.keys() == {"", *(shot.caption for shot in character.dataset)}
    assert all(sample.mask is None for sample in data.samples)


def test_masks_come_along_when_they_matter(encode: Encode, picture: Callable[..., Shot]) -> None:
    shots = [picture(0, mask=torch.ones(64, 64)), picture(1)]
    for settings in (TrainingSettings(masked_loss=True), TrainingSettings(prior_outside=1.0)):
        with_mask, without = encode(settings, shots).samples
        assert with_mask.mask is not None and with_mask.mask.shape == (1, 1, 8, 8)
        assert without.mask is None


def test_held_out_pictures_are_looked_at_once_and_unmirrored(
    encode: Encode, picture: Callable[..., Shot]
) -> None:
    settings = TrainingSettings(flip=True, batch_size=4)
    data = encode(settings, [picture(0), picture(1)], [picture(2), picture(3)])
    assert len(data.samples) == 4 and len(data.held_out) == 2


def test_held_out_pictures_have_the_largest_size_that_is_trained(
    encode: Encode, picture: Callable[..., Shot]
) -> None:
    large = [picture(number, 128, 128) for number in (2, 3)]
    several = encode(TrainingSettings(resolutions="64, 96"), large, [picture(4, 128, 128)])
    assert [sample.latent.shape[-1] for sample in several.held_out] == [12]
    usual = encode(None, [picture(0), picture(1)], large)
    assert [sample.latent.shape[-1] for sample in usual.held_out] == [8, 8]


def test_masks_and_sources_decide_a_run_only_where_they_matter(
    picture: Callable[..., Shot],
) -> None:
    shots = [picture(0, mask=torch.ones(64, 64)), picture(1)]
    others = [picture(0, mask=torch.eye(64)), picture(1)]
    imported = [replace(shot, provenance=Provenance("imported")) for shot in shots]
    assert deciding(shots, TrainingSettings()) == []
    masked, ranged = TrainingSettings(masked_loss=True), TrainingSettings(generated_from=0.5)
    assert deciding(shots, masked) != deciding(others, masked)
    assert deciding(shots, masked) == deciding(imported, masked)
    assert deciding(shots, ranged) == deciding(others, ranged) != deciding(imported, ranged)


def test_the_disk_keeps_what_was_encoded_below_the_characters_folder(
    encode: Encode, tmp_path: Path, models: SmallModels, monkeypatch: Any
) -> None:
    once = encode()
    assert not list(tmp_path.rglob("*"))
    first = encode(TrainingSettings(cache="disk"))
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 4 + 5
    monkeypatch.setattr(models.vae, "encode", lambda _: pytest.fail("encoded again"))
    again = encode(TrainingSettings(cache="disk"))
    for one, two, three in zip(once.samples, first.samples, again.samples, strict=True):
        assert torch.equal(one.latent, two.latent) and torch.equal(one.latent, three.latent)
    for caption, options in once.prompts.items():
        assert torch.equal(options["cross_attn"], again.prompts[caption]["cross_attn"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (TrainingSettings(masked_loss=True), "none of the 4 images has a mask"),
        (TrainingSettings(loss_weighting="min-SNR"), "flow model; choose none"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_encoded(
    encode: Encode, models: SmallModels, settings: TrainingSettings, sentence: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(models.vae, "encode", lambda _: pytest.fail("encoded"))
    with pytest.raises(ValueError, match=sentence):
        encode(settings)


def test_a_shift_is_refused_for_a_stable_diffusion_model(encode: Encode) -> None:
    unet = small_unet(comfy.model_base.ModelType.EPS)
    with pytest.raises(ValueError, match="timesteps is 'flux_shift'"):
        encode(TrainingSettings(timesteps="flux_shift"), model=unet)


def test_no_pictures_are_said_in_a_sentence(encode: Encode) -> None:
    with pytest.raises(ValueError, match="There is no image to train on; include at least one"):
        encode(shots=[])


def test_one_picture_and_small_ones_are_remarked_upon(picture: Callable[..., Shot]) -> None:
    assert remarks([picture(0), picture(1)], TrainingSettings()) == ()
    alone, small = remarks([picture(0)], TrainingSettings(resolution=512))
    assert alone.startswith("There is one image") and alone.endswith("add shots that differ.")
    assert small.startswith("1 of 1 images are smaller than 512 by 512 pixels")


def test_the_same_pictures_are_held_out_in_any_order(picture: Callable[..., Shot]) -> None:
    shots = [picture(number) for number in range(6)]
    training, unseen = held_out(shots, 2, seed=1)
    again, same = held_out(shots[::-1], 2, seed=1)
    assert [shot.hash for shot in unseen] == [shot.hash for shot in same]
    assert {shot.hash for shot in training} == {shot.hash for shot in again}
    assert len(training) == 4 and not {s.hash for s in training} & {s.hash for s in unseen}


def test_a_picture_that_is_there_twice_is_not_trained_on_either(
    picture: Callable[..., Shot],
) -> None:
    shots = [picture(number) for number in (0, 1, 2, 0, 1, 2)]
    training, unseen = held_out(shots, 1, seed=0)
    assert len(unseen) == 1
    assert unseen[0].hash not in {shot.hash for shot in training}
    assert len(training) == 4


def test_another_seed_holds_out_others(picture: Callable[..., Shot]) -> None:
    shots = [picture(number) for number in range(8)]
    chosen = {held_out(shots, 1, seed)[1][0].hash for seed in range(10)}
    assert len(chosen) > 2


def test_something_has_to_be_left_to_train_on(picture: Callable[..., Shot]) -> None:
    with pytest.raises(ValueError, match="validation_shots is 3 and there are 3 images"):
        held_out([picture(number) for number in range(3)], 3, seed=0)


def test_nothing_is_held_out_unless_asked(picture: Callable[..., Shot]) -> None:
    shots = [picture(0), picture(1)]
    assert held_out(shots, 0, seed=0) == (shots, [])
