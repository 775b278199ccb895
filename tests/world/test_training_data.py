"""Captions and batches that the demo models are trained on."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from facet.engine.demo.text import MAX_TOKENS, simplify, token_table
from facet.world.captions import text_caption, training_caption
from facet.world.flux import Flux, rope_table
from facet.world.identity import Identity
from facet.world.labels import labels_of, visible
from facet.world.optimiser import Muon, orthogonalise, stable_decay
from facet.world.run import Checkpoint, Clock
from facet.world.scene import Scene


def test_captions_fit_the_text_model() -> None:
    from facet.world.tokens import token_ids

    rng = random.Random(1)
    captions = [text_caption(Identity.from_seed(i), Scene.sample(rng)) for i in range(300)]
    assert max(token_ids(text)[1] for text in captions) <= MAX_TOKENS


def test_small_words_carry_nothing() -> None:
    assert simplify("wearing a red t-shirt, close-up in the (park:1.2)") == (
        "red tshirt closeup (park:1.2)"
    )


def test_a_tenth_of_training_captions_is_empty_and_triggers_stand_before_person() -> None:
    rng = random.Random(2)
    person, scene = Identity.from_seed(3), Scene()
    drawn = [training_caption(person, scene, rng, False, "zqx") for _ in range(2000)]
    assert 0.07 < sum(not text for text in drawn) / len(drawn) < 0.13
    assert all(text.startswith("zqx person") for text in drawn if text)
    named = [text for text in drawn if text]
    silent = [text for text in named if person.skin + " skin" not in text]
    assert 0.4 < len(silent) / len(named) < 0.75


def test_trigger_names_use_no_trained_token() -> None:
    from facet.world.tokens import random_name, used_ids

    used = frozenset(used_ids())
    rng = random.Random(3)
    assert not any(used & set(random_name(rng, used)) for _ in range(500))


def test_what_cannot_be_seen_is_not_asked() -> None:
    classes = labels_of(0, 60).classes
    back = classes["view"] == 5
    assert back.any() and not visible("expression", classes)[back].any()


def test_half_size_tokens_lie_between_full_size_ones() -> None:
    full, half = rope_table(0, 8, False), rope_table(0, 4, False, 2)
    assert full.shape[3] == 64 and half.shape[3] == 16
    angle = torch.atan2(half[1], half[0])[0, 0, 0]
    neighbours = torch.atan2(full[1], full[0])[0, 0, [0, 9]]
    assert torch.allclose(angle, neighbours.mean(0), atol=1e-5)


def test_flux_starts_by_predicting_nothing() -> None:
    torch.manual_seed(0)
    flux = Flux()
    x = torch.randn(2, 16, 16, 16)
    text, pooled = torch.randn(2, MAX_TOKENS, 128), torch.randn(2, 128)
    out = flux(x, torch.tensor([0.2, 0.9]), text, pooled, x, rope_table(MAX_TOKENS, 8, True))
    assert out.shape == x.shape and out.abs().max() == 0


def test_orthogonalised_matrices_keep_their_directions() -> None:
    torch.manual_seed(0)
    update = orthogonalise(torch.randn(3, 48, 96))
    values = torch.linalg.svdvals(update)
    assert values.min() > 0.6 and values.max() < 1.4
    assert orthogonalise(torch.randn(1, 96, 48)).shape == (1, 96, 48)


def test_muon_lowers_a_loss_in_blocks() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(64, 32) * 0.1)
    target = torch.randn(64, 32)
    muon = Muon([weight], block=16)
    before = (weight - target).square().mean().item()
    for _ in range(60):
        weight.grad = None
        (weight - target).square().mean().backward()
        muon.step(0.1)
    assert (weight - target).square().mean().item() < 0.5 * before


def test_the_learning_rate_is_stable_then_decays() -> None:
    assert [stable_decay(p, 0.8) for p in (0, 0.5, 0.8)] == [1, 1, 1]
    assert stable_decay(0.9, 0.8) == pytest.approx(0.5) and stable_decay(1.0, 0.8) == 0


def test_a_checkpoint_brings_back_the_clock(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "state.pt")
    clock = Clock(1.0, spent=30.0, steps=17)
    checkpoint.save({"value": torch.ones(2)}, clock)
    resumed = Clock(1.0)
    state = checkpoint.load(resumed)
    assert state is not None and resumed.steps == 17 and 0.5 <= resumed.progress < 0.6
    assert torch.equal(state["value"], torch.ones(2))


def test_the_token_table_is_a_seed_with_trained_rows() -> None:
    rows = torch.zeros(2, 128)
    table = token_table(rows, torch.tensor([5, 7]))
    assert table.shape == (49408, 128) and table[[5, 7]].abs().max() == 0
    assert torch.equal(table[6], token_table(rows, torch.tensor([5, 7]))[6])
    assert np.isclose(table[100:5000].std().item(), 0.5, atol=0.01)
