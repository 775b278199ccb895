import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from facet.engine.core.character import quantise
from facet.engine.generate.character_shot.judge import Measures
from facet.engine.generate.character_shot.store import Pictures


@pytest.fixture
def image() -> torch.Tensor:
    noise = torch.rand(16, 24, 3, generator=torch.Generator().manual_seed(0))
    return quantise(noise).to(torch.float32) / 255


def test_a_try_comes_back_to_the_bit_with_its_measures(tmp_path: Path, image):
    store = Pictures(tmp_path)
    assert store.load("a") is None
    store.save("a", image, {"prompt": "x"})
    assert store.load("a")[1] == Measures()
    measures = Measures(0.5, True, -3.0, "", ("v", "f", "c"))
    store.save_measures("a", measures)
    loaded, known = Pictures(tmp_path).load("a")
    assert torch.equal(loaded, image) and known == measures


@pytest.mark.parametrize("harm", ["half", "gone", "changed", "no json", "a list"])
def test_what_was_damaged_is_made_again(tmp_path: Path, image, harm: str):
    store = Pictures(tmp_path)
    store.save("a", image, {})
    png, record = store.tries / "a.png", store.tries / "a.json"
    if harm == "half":
        png.write_bytes(png.read_bytes()[:100])
    elif harm == "gone":
        png.unlink()
    elif harm == "changed":
        Image.new("RGB", (24, 16)).save(png)
    else:
        record.write_text("[]" if harm == "a list" else "{")
    assert store.load("a") is None


def test_a_kept_picture_tells_what_it_is(tmp_path: Path, image):
    path = Pictures(tmp_path).keep("a", image, {"score": 0.5}, {"workflow": "{}"})
    assert path.parent == tmp_path
    with Image.open(path) as opened:
        assert json.loads(opened.text["facet"]) == {"score": 0.5}
        assert opened.text["workflow"] == "{}"
