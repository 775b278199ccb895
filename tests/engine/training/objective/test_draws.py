"""What a step trains on comes from the seed and the step's number alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import comfy.model_sampling as kinds
import pytest
import torch

from facet.engine.core.character import Provenance
from facet.engine.training.data.pictures import TrainingSample, WeightedBatches
from facet.engine.training.objective.draws import Batch, draw_batch, validation_batch
from facet.engine.training.settings import TrainingSettings, settings_of

FLUX = type("Flux", (kinds.ModelSamplingFlux, kinds.CONST), {})()
EPS = type("Eps", (kinds.ModelSamplingDiscrete, kinds.EPS), {})()
SAMPLES = [
    TrainingSample(torch.zeros(1, 16, 8, 8), "a", 1.0),
    TrainingSample(torch.zeros(1, 16, 8, 8), "b", 3.0),
    TrainingSample(torch.zeros(1, 16, 8, 8), "c", 1.0),
    TrainingSample(torch.zeros(1, 16, 8, 12), "d", 2.0),
]


def drawn(
    number: int, settings: TrainingSettings, sampling: Any = FLUX, samples: Any = SAMPLES
) -> Batch:
    return draw_batch(number, settings, samples, WeightedBatches(samples), sampling)


@pytest.mark.parametrize(
    ("sampling", "batch", "number", "captions", "sigmas", "noise"),
    [
        (FLUX, 1, 0, "b", [0.40224], [-0.028928, 2.022018]),
        (FLUX, 1, 7, "a", [0.831942], [0.636829, 0.163916]),
        (FLUX, 3, 0, "bba", [0.407386, 0.369636, 0.413861], [-0.487415, -0.996579]),
        (FLUX, 3, 7, "bbc", [0.432604, 0.180292, 0.326851], [-0.56945, -0.071525]),
        (EPS, 1, 0, "b", [5.991736], [-0.511644, -1.290108]),
        (EPS, 3, 7, "bbc", [2.963613, 1.239176, 1.323061], [0.163916, 0.399262]),
    ],
)
def test_a_seed_means_what_it_always_meant(
    sampling: Any, batch: int, number: int, captions: str, sigmas: list[float], noise: list[float]
) -> None:
    """As drawn by the first version that was used: runs of then go on unchanged."""
    timesteps = "auto" if sampling is EPS else "logit-normal"
    settings = TrainingSettings(seed=5, batch_size=batch, timesteps=timesteps)
    found = drawn(number, settings, sampling)
    assert "".join(found.captions) == captions
    assert found.sigmas.tolist() == pytest.approx(sigmas, rel=1e-4)
    assert found.noise.flatten()[:2].tolist() == pytest.approx(noise, abs=1e-5)


def test_steps_and_seeds_differ() -> None:
    settings = TrainingSettings(seed=5)
    first = drawn(0, settings).noise[0, :, :8, :8]
    for other in (drawn(1, settings), drawn(0, replace(settings, seed=6))):
        assert not torch.equal(first, other.noise[0, :, :8, :8])
    assert torch.equal(first, drawn(0, settings).noise[0, :, :8, :8])


def test_generated_shots_are_held_to_their_range_and_others_are_not() -> None:
    samples = [
        TrainingSample(torch.zeros(1, 4, 4, 4), source, 1.0, Provenance(source))
        for source in ("original", "generated", "edited", "imported")
    ]
    free = TrainingSettings(batch_size=4, timesteps="logit-normal")
    held = replace(free, generated_from=0.5, generated_to=0.9)
    levels: dict[str, list[float]] = {}
    for number in range(200):
        one, other = (drawn(number, how, samples=samples) for how in (held, free))
        assert one.captions == other.captions and torch.equal(one.noise, other.noise)
        for source, level, before in zip(one.captions, one.sigmas, other.sigmas, strict=True):
            if source in ("original", "edited", "imported"):
                assert level == before
            levels.setdefault(source, []).append(float(level))
    assert all(0.5 <= level <= 0.9 for level in levels["generated"])
    assert max(levels["generated"]) > 0.85 and min(levels["generated"]) < 0.55
    assert min(levels["original"]) < 0.2


def test_captions_drop_out_as_often_as_asked() -> None:
    settings = TrainingSettings(batch_size=4, caption_dropout=0.3)
    captions = [caption for n in range(500) for caption in drawn(n, settings).captions]
    assert captions.count("") / len(captions) == pytest.approx(0.3, abs=0.04)


def test_flux_shift_looks_at_the_size_that_is_drawn() -> None:
    """A picture of 64 by 64 latents has 1024 patches; its middle is at exp(0.63) to 1."""
    samples = [TrainingSample(torch.zeros(1, 1, 64, 64), "", 1.0)]
    settings = TrainingSettings(timesteps="flux_shift", batch_size=64)
    sigmas = torch.cat([drawn(n, settings, samples=samples).sigmas for n in range(40)])
    assert float(sigmas.median()) == pytest.approx(0.6525, abs=0.02)


def test_validation_looks_at_the_same_noise_at_five_levels() -> None:
    one, again = (validation_batch(SAMPLES[0], 0, FLUX) for _ in range(2))
    assert one.sigmas.tolist() == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert torch.equal(one.noise, again.noise)
    assert not torch.equal(one.noise, validation_batch(SAMPLES[0], 1, FLUX).noise)
    assert not torch.equal(one.noise[0], one.noise[1])


def test_a_part_of_a_batch_keeps_each_samples_own() -> None:
    mask = torch.rand(3, 1, 4, 4)
    numbers = torch.arange(3.0)
    latent = numbers.view(3, 1, 1, 1).expand(3, 2, 4, 4)
    batch = Batch(latent, ["a", "b", "c"], numbers, latent + 10, ["x", "y", "z"], mask)
    part = batch.part([2, 0])
    assert len(part) == 2
    assert part.captions == ["c", "a"] and list(part.prior_captions) == ["z", "x"]
    assert part.sigmas.tolist() == [2, 0]
    assert part.latent[:, 0, 0, 0].tolist() == [2, 0]
    assert part.noise[:, 0, 0, 0].tolist() == [12, 10]
    assert part.mask is not None and torch.equal(part.mask, mask[[2, 0]])


def test_noise_is_shifted_as_a_whole_where_an_offset_is_set_and_else_as_before() -> None:
    settings = TrainingSettings(seed=5, batch_size=3)
    plain, shifted = (
        drawn(0, replace(settings, noise_offset=offset), EPS) for offset in (0.0, 0.5)
    )
    assert torch.equal(plain.sigmas, shifted.sigmas) and plain.captions == shifted.captions
    change = shifted.noise - plain.noise
    flat = change.flatten(2)
    assert torch.allclose(flat, flat[..., :1].expand_as(flat), atol=1e-6)
    assert 0.1 < float(flat[..., 0].std()) < 1.0


def test_a_setting_that_came_later_leaves_runs_without_it_as_they_were() -> None:
    known = TrainingSettings().fingerprint("a")
    assert TrainingSettings(noise_offset=0.1).fingerprint("a") != known
    values = asdict(TrainingSettings())
    free = {one.name for one in settings_of(TrainingSettings) if one.resumable}
    before = {n: v for n, v in values.items() if n not in free and n != "noise_offset"}
    text = json.dumps([before, "a"], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == known
