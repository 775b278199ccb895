"""Images on disk: encoded once, found again to the bit, made again when they are damaged."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from PIL import Image, PngImagePlugin

from facet.engine.core.character import picture_hash, quantise
from facet.engine.store import images
from facet.engine.store.images import CHUNK, ImageStore, image_bytes, read_image, with_texts


@pytest.fixture
def image() -> torch.Tensor:
    noise = torch.rand(16, 24, 3, generator=torch.Generator().manual_seed(0))
    return quantise(noise).to(torch.float32) / 255


def test_an_image_comes_back_to_the_bit_with_its_record(tmp_path: Path, image):
    store = ImageStore(tmp_path)
    assert store.load("a") is None and store.image("a") is None
    saved = store.save("a", image, {"prompt": "x", "pair": (1, 2)}, {"own": 1})
    loaded = ImageStore(tmp_path).load("a")
    assert loaded is not None and torch.equal(loaded.image, image)
    assert loaded.record == saved.record
    assert saved.record == {"prompt": "x", "pair": [1, 2], "hash": picture_hash(image)}
    with Image.open(tmp_path / "a.png") as opened:
        assert json.loads(opened.text[CHUNK]) == {"own": 1}


def test_what_is_measured_goes_into_the_record_and_the_image_is_not_written_again(
    tmp_path: Path, image
):
    store = ImageStore(tmp_path)
    store.save("a", image, {})
    before = store.path("a").stat().st_mtime_ns, store.path("a").stat().st_ino
    store.note("a", measures={"yaw": 3.0})
    assert store.load("a").record["measures"] == {"yaw": 3.0}
    assert (store.path("a").stat().st_mtime_ns, store.path("a").stat().st_ino) == before


@pytest.mark.parametrize("harm", ["half", "gone", "changed", "inside", "no json", "a list"])
def test_what_was_damaged_is_made_again(tmp_path: Path, image, harm: str):
    store = ImageStore(tmp_path)
    store.save("a", image, {})
    png, record = tmp_path / "a.png", tmp_path / "a.json"
    if harm == "half":
        png.write_bytes(png.read_bytes()[:100])
    elif harm == "gone":
        png.unlink()
    elif harm == "changed":
        Image.new("RGB", (24, 16)).save(png)
    elif harm == "inside":
        data = bytearray(png.read_bytes())
        data[data.index(b"IDAT") + 6] ^= 0xFF
        png.write_bytes(data)
    else:
        record.write_text("[]" if harm == "a list" else "{")
    assert store.load("a") is None
    if harm in ("half", "gone", "inside"):
        assert store.image("a") is None


def test_an_image_without_a_record_comes_back_as_it_was_given_out(tmp_path: Path):
    store = ImageStore(tmp_path)
    kept = store.save_image("a1", torch.rand(9, 7, 3))
    assert torch.equal(store.image("a1"), kept)


def test_an_image_is_found_by_its_hash_without_reading_the_others(tmp_path: Path, monkeypatch):
    store = ImageStore(tmp_path)
    for number in range(5):
        store.save(f"k{number}", torch.full((8, 8, 3), number / 5), {})
    read: list[str] = []
    monkeypatch.setattr(ImageStore, "record", lambda self, key: read.append(key))
    digest = picture_hash(torch.full((8, 8, 3), 3 / 5))
    assert store.find(digest[:16]) == store.find(digest) == "k3"
    assert store.find("0" * 16) == "" and read == []
    (tmp_path / "k3.json").unlink()
    assert store.find(digest) == ""


def test_texts_are_put_into_a_file_where_pillow_puts_them(image, monkeypatch):
    info = PngImagePlugin.PngInfo()
    info.add_itxt(CHUNK, '{"name": "Zo\u00eb"}')
    info.add_text("workflow", "{}")
    buffer = io.BytesIO()
    drawn = Image.fromarray(quantise(image).numpy())
    drawn.save(buffer, "PNG", pnginfo=info, compress_level=4)
    png = image_bytes(image)
    monkeypatch.setattr(images, "image_bytes", None)
    texts = {CHUNK: '{"name": "Zo\u00eb"}', "workflow": "{}"}
    assert with_texts(png, texts) == buffer.getvalue()
    assert with_texts(with_texts(png, {CHUNK: "old"}), texts) == buffer.getvalue()
    assert with_texts(buffer.getvalue(), {}) == png


def test_a_damaged_file_is_an_os_error(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(OSError):
        read_image(tmp_path / "a.png")
