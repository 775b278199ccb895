"""The JSON beside a recognition model: what it may say, and what it is told when it says else."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from facet.engine.vision.embedder_card import (
    EmbedderCard,
    Normalisation,
    card_beside,
    card_from,
    read_card,
)

CCIP = {
    "size": 384,
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "crop": "whole",
    "good_for": "drawings",
    "licence": "OpenRAIL",
    "origin": "deepghs/ccip_onnx",
}


def test_a_card_says_how_a_model_sees_and_what_it_is() -> None:
    card = card_from(CCIP)
    assert (card.size, card.crop, card.colours) == (384, "whole", "rgb")
    assert card.mean == tuple(CCIP["mean"]) and card.std == tuple(CCIP["std"])
    assert (card.good_for, card.licence, card.origin) == tuple(
        CCIP[name] for name in ("good_for", "licence", "origin")
    )
    assert card_from({}) == EmbedderCard()
    assert card_from({"mean": 0.5, "std": 1}).mean == (0.5, 0.5, 0.5)


def test_texts_are_one_line_of_whole_letters() -> None:
    card = card_from({"licence": "  MIT\n(see \ud800README)  ", "origin": "x" * 1000})
    assert card.licence == "MIT (see README)" and len(card.origin) == 200


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"size": 0}, "size is 0; give a whole number of pixels"),
        ({"size": -112}, "size is -112; give a whole"),
        ({"size": 10_000}, "size is 10000; give a side from 16 to 1024 pixels"),
        ({"size": 112.5}, "size is 112.5; give a whole"),
        ({"size": True}, "size is True; give a whole"),
        ({"size": [112, 112]}, "size is .*; give a whole"),
        ({"size": None}, "size is None; give a whole"),
        ({"mean": 127.5, "std": 0.5}, "mean is 127.5; give a number from 0 to 1, where 1 is the"),
        ({"mean": [0.5, 0.5], "std": 0.5}, r"mean is \[0.5, 0.5\]; give a number"),
        ({"mean": [0.5, "a", 0.5], "std": 0.5}, "or three of them for red, green and blue"),
        ({"mean": True, "std": 0.5}, "mean is True; give a number"),
        ({"mean": {}, "std": 0.5}, "mean is {}; give a number"),
        ({"std": 0, "mean": 0.5}, "std is 0; give a number from 0.001 to 1"),
        ({"std": -1, "mean": 0.5}, "std is -1; give"),
        ({"std": 0.5}, "mean and std belong together; give both or neither"),
        ({"colours": "RGB"}, "colours is 'RGB'; give one of 'rgb', 'bgr'"),
        ({"colours": ["rgb"]}, "colours is .*; give one of"),
        ({"crop": "feet"}, "crop is 'feet'; give one of 'whole', 'without background', 'aligned f"),
        ({"same_from": "high"}, "same_from is 'high'; give a similarity between -1 and 1"),
        ({"same_from": 1.5}, "same_from is 1.5; give"),
        ({"same_from": True}, "same_from is True; give"),
        ({"licence": 3}, "licence is 3; give a text"),
        ({"good_for": ["drawings"]}, "good_for is .*; give a text"),
        ({"license": "MIT"}, "'license' is not known; write any of size, mean, std, colours, crop"),
        ([1, 2], "it holds no object; write one with any of size, mean"),
        ("CCIP", "it holds no object"),
        (None, "it holds no object"),
    ],
)
def test_what_nobody_can_follow_is_one_sentence(said: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        card_from(said)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "cannot be read"),
        (b"size: 112", "cannot be read"),
        (b'{"mean": NaN, "std": 1}', "cannot be read .*NaN is no number"),
        (b'{"mean": 1e999, "std": 1}', "cannot be read .*is no number"),
        (b'{"size": ' + b"9" * 500 + b"}", "cannot be read .*500 digits"),
        ('{"origin": "Zürich"}'.encode("latin-1"), "cannot be read .*utf-8"),
        (b"[" * 100_000, "cannot be read .*nested too deeply"),
        (b'{"size": 0}', r"^mine\.facet\.json: size is 0; give a whole number of pixels\.$"),
    ],
)
def test_a_file_that_is_no_card_is_one_sentence_that_names_it(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    model = tmp_path / "mine.onnx"
    card_beside(model).write_bytes(data)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_card(model)
    assert "mine.facet.json" in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_in_its_place_is_named_and_none_says_nothing(tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    assert read_card(model) is None
    card_beside(model).mkdir()
    with pytest.raises(ValueError, match=r"mine\.facet\.json cannot be read"):
        read_card(model)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    model = tmp_path / "mine.onnx"
    card_beside(model).write_bytes(b'\xef\xbb\xbf{"size": 160}')
    assert read_card(model) == EmbedderCard(size=160)


def test_pixels_are_normalised_as_the_card_says() -> None:
    pictures = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    mean, std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.5])
    card = card_from({"mean": mean.tolist(), "std": std.tolist(), "colours": "bgr"})
    expected = ((pictures - mean.view(3, 1, 1)) / std.view(3, 1, 1)).flip(1)
    assert torch.allclose(Normalisation.of(card)(pictures), expected, atol=1e-5)
    assert torch.equal(Normalisation.of(EmbedderCard())(pictures), pictures * 2 - 1)
    assert torch.equal(Normalisation.of(EmbedderCard(), takes_bytes=True)(pictures), pictures * 255)
