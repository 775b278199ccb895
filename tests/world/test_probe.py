"""The probe reads what is drawn, on people it never saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from facet.world.dataset import PICTURES_PER_PERSON, scene_of
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.labels import labels_of
from facet.world.probe import Probe, Reading
from facet.world.recognise import identity_figures
from facet.world.render import render

PEOPLE = 40


@pytest.fixture(scope="module")
def reading() -> Reading:
    pictures = [
        render(Identity.from_seed(HELD_OUT_FROM + i), scene_of(HELD_OUT_FROM + i, k)).image
        for i in range(PEOPLE)
        for k in range(PICTURES_PER_PERSON)
    ]
    return Probe().read(np.stack(pictures))


@pytest.mark.parametrize("attribute", ["view", "framing", "skin", "place"])
def test_it_reads_what_is_plain_to_see(reading: Reading, attribute: str) -> None:
    truth = labels_of(HELD_OUT_FROM, PEOPLE).classes[attribute].reshape(-1)
    assert (reading.classes[attribute] == truth).mean() > 0.85


def test_it_tells_strangers_apart(reading: Reading) -> None:
    figures = identity_figures(reading.embedding, PEOPLE, PICTURES_PER_PERSON)
    assert figures["same"] > figures["strangers"] + 0.5 and figures["top1"] > 0.5


def test_floats_and_bytes_read_alike() -> None:
    image = render(Identity.from_seed(HELD_OUT_FROM), scene_of(HELD_OUT_FROM, 1)).image[None]
    probe = Probe()
    one, other = probe.read(image), probe.read(torch.from_numpy(image).float() / 255)
    assert torch.allclose(one.embedding, other.embedding, atol=1e-4)
