"""Captions that a person wrote."""

from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.store.captions_by_hand import (
    FILE,
    captions_by_hand,
    keep_by_hand,
    with_captions_by_hand,
)


def shot(seed: int) -> Shot:
    image = torch.rand(12, 10, 3, generator=torch.Generator().manual_seed(seed))
    return Shot(image, Provenance("generated"), caption=f"zqx, {seed}")


def character() -> Character:
    return Character("Ada", "zqx", "person", shot(0), (shot(1), shot(2)))


def test_they_find_their_pictures_in_another_order(tmp_path):
    before = character()
    keep_by_hand(tmp_path, {before.shots[1].hash: "zqx on a bridge"})
    turned = replace(before, shots=before.shots[::-1])
    after = with_captions_by_hand(turned, captions_by_hand(tmp_path))
    assert [one.caption for one in after.shots] == ["zqx on a bridge", "zqx, 1"]
    assert [one.by_hand for one in after.pictures] == [False, True, False]


def test_one_is_added_and_taken_back_without_the_others(tmp_path):
    keep_by_hand(tmp_path, {"a": "first", "b": "second"})
    keep_by_hand(tmp_path, {"b": None, "c": "third"})
    assert captions_by_hand(tmp_path) == {"a": "first", "c": "third"}


def test_a_broken_file_is_said_and_left(tmp_path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ValueError, match="Mend it or move it away"):
        keep_by_hand(tmp_path, {"a": "first"})
    assert (tmp_path / FILE).read_text() == "{"
