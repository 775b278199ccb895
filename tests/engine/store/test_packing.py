"""Nested values come back as they were."""

from __future__ import annotations

import json
import math
from collections import namedtuple

import pytest
import torch

from facet.engine.store.packing import Packer, unpack

Pair = namedtuple("Pair", "first second")


def test_what_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(ValueError, match="type complex cannot be saved"):
        Packer("").pack({"state": [1j]})


def test_dtypes_and_shared_tensors_survive() -> None:
    table = torch.arange(3, dtype=torch.uint8)
    packer = Packer("optimizer.")
    packed = packer.pack([{0: table}, (table, math.inf), {"half": torch.ones(2).bfloat16()}])
    assert len(packer.tensors) == 2
    read = unpack(json.loads(json.dumps(packed)), packer.tensors, torch.device("cpu"), {})
    assert read[0][0] is read[1][0] and torch.equal(read[0][0], table)
    assert read[0][0].dtype == torch.uint8 and read[2]["half"].dtype == torch.bfloat16
    assert read[1][1] == math.inf


def test_what_would_come_back_as_another_is_refused() -> None:
    with pytest.raises(ValueError, match="type Pair cannot be saved"):
        Packer().pack([Pair(1, 2)])
