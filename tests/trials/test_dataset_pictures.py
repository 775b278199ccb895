"""Picture files as cameras, phones and other programs make them, and as nobody should."""

import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from trials.conftest import encoded, picture

from facet.engine.core.character import Character, Provenance, Shot, shot_record
from facet.engine.dataset import pictures
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Names
from facet.engine.dataset.pictures import (
    KEPT_PIXELS,
    MOST_PIXELS,
    UnreadablePicture,
    read_picture,
    scaled_down,
)
from facet.engine.training.data.buckets import fitted_size

ORIENTATION, EXPOSURE_BIAS = 0x0112, 0x9204


def tiff(*tags: tuple[int, int, int, bytes]) -> bytes:
    """EXIF with ``tags``: number, type, count, and the four bytes of the value or of its place."""
    body = struct.pack("<H", len(tags))
    body += b"".join(struct.pack("<HHI", *tag[:3]) + tag[3] for tag in tags)
    return b"Exif\0\0II*\0\x08\0\0\0" + body + bytes(4)


def samsung(orientation: int = 6) -> bytes:
    """An exposure bias of -2/0, as a phone writes it into ordinary photographs."""
    place = 8 + 2 + 2 * 12 + 4
    tags = (
        (ORIENTATION, 3, 1, struct.pack("<HH", orientation, 0)),
        (EXPOSURE_BIAS, 10, 1, struct.pack("<I", place)),
    )
    return tiff(*tags) + struct.pack("<ii", -2, 0)


def test_a_photograph_with_an_exposure_bias_of_minus_two_over_zero(put, read):
    for number in range(3):
        put(f"good_{number}.jpg")
    put("phone.jpg", encoded(picture(9, 80, 40), "JPEG", exif=samsung()))
    loaded = read()
    assert len(loaded.character.pictures) == 4
    assert (80, 40) in [shot.size for shot in loaded.character.pictures]


def test_no_exif_is_ever_written_back(put, read, monkeypatch):
    """Which is where Pillow 11 and 12 fail at such a value."""

    def fails(*_arguments: object, **_options: object) -> None:
        raise struct.error("argument out of range")

    monkeypatch.setattr(Image.Exif, "tobytes", fails)
    monkeypatch.setattr(ImageOps, "exif_transpose", fails)
    put("phone.jpg", encoded(picture(1, 80, 40), "JPEG", exif=samsung()))
    assert read().character.source.size == (80, 40)


@pytest.mark.parametrize(
    "error", [struct.error, ZeroDivisionError, KeyError, TypeError, SyntaxError]
)
def test_where_exif_cannot_be_read_the_pixels_are(put, read, monkeypatch, error):
    def fails(*_arguments: object) -> None:
        raise error("of a kind")

    put("phone.jpg", encoded(picture(1, 80, 40), "JPEG", exif=samsung()))
    monkeypatch.setattr(Image.Image, "getexif", fails)
    loaded = read()
    assert loaded.character.source.size == (40, 80)
    assert "phone.jpg: has EXIF that cannot be read" in loaded.report


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_no_exif_costs_the_picture(exif, kind):
    data = encoded(picture(1, 16, 12), kind, exif=b"Exif\0\0II*\0\x08\0\0\0" + exif)
    assert sorted(read_picture(data).size) == [12, 16]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright_as_pillow_does(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(picture(2, 30, 20), "PNG", exif=exif)
    with Image.open(pictures.io.BytesIO(data)) as opened:
        upright = np.array(ImageOps.exif_transpose(opened))
    read = read_picture(data)
    assert np.array_equal(read.image.numpy(), upright) and read.size == upright.shape[:2]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]))
    whole = bytearray(encoded(picture(3, 24, 16), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        image = read_picture(bytes(whole[:cut])).image
    except UnreadablePicture:
        return
    assert image.dtype == torch.uint8 and image.shape[2] == 3


def claims(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that says it is of that size, in one bit."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes(1 + (width + 7) // 8) * min(height, 9))
    parts = [header, b"IDAT" + lines, b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )


def test_more_pixels_than_cameras_make_are_refused_before_they_are_decoded(put, read, monkeypatch):
    put("a.png")
    put("huge.png", claims(12000, 12000))
    put("a_mask.png", claims(12000, 12000))
    monkeypatch.setattr(Image.Image, "convert", lambda image, mode: _no_larger(image, mode))
    loaded = read()
    assert "huge.png: has 144 megapixels, and up to 64 are read" in loaded.report
    assert "a_mask.png: has 144 megapixels" in loaded.report
    assert len(loaded.character.pictures) == 1 and loaded.character.source.mask is None


_CONVERT = Image.Image.convert


def _no_larger(image: Image.Image, mode: str) -> Image.Image:
    assert image.width * image.height < MOST_PIXELS
    return _CONVERT(image, mode)


def test_a_large_photograph_is_scaled_at_the_door_and_that_is_said(put, read):
    large = picture(1, 60, 40).resize((3000, 2000))
    put("a.jpg", encoded(large, "JPEG", quality=80))
    put("a_mask.png", large.convert("L"))
    put("b.png")
    loaded = read()
    [small, shot] = sorted(loaded.character.pictures, key=lambda one: one.size)
    assert 0.99 * KEPT_PIXELS < shot.size[0] * shot.size[1] <= KEPT_PIXELS
    assert abs(shot.size[1] / shot.size[0] - 1.5) < 0.002
    assert shot.mask is not None and tuple(shot.mask.shape) == shot.size and small.mask is None
    assert "Scaled down to 4.2 megapixels" in loaded.report and "at: 1." in loaded.report
    whole = read_picture(encoded(large)).image
    expected = scaled_down(whole).float()
    assert (shot.pixels.float() - expected).abs().mean() < 3


def test_what_we_exported_keeps_every_pixel_however_large(tmp_path):
    image = torch.from_numpy(np.array(picture(1, 60, 40).resize((2500, 1700))))
    source = Shot(image, Provenance("original"), caption="zqx person")
    character = Character("Ada", "zqx", "person", source)
    for layout in (Layout.FLAT, Layout.ZIP):
        export(character, tmp_path / layout.value, layout)
        loaded = load(tmp_path / layout.value)
        assert shot_record(loaded.character.source) == shot_record(source)
        assert "Scaled" not in loaded.report
    (tmp_path / "flat" / "facet.json").unlink()
    known_by_itself = load(tmp_path / "flat", Names(trigger="zqx")).character
    assert known_by_itself.source.hash == source.hash


@pytest.mark.parametrize("mode", ["1", "L", "RGBA", "I;16", "F", "P", "CMYK"])
def test_every_mode_is_scaled(mode, monkeypatch):
    monkeypatch.setattr(pictures, "KEPT_PIXELS", 600)
    image = picture(1, 60, 40)
    if mode == "I;16":
        image = Image.fromarray(np.array(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    data = encoded(image, "TIFF")
    small = read_picture(data, most=600)
    assert small.image.shape[0] * small.image.shape[1] <= 600 and small.size == (40, 60)
    assert abs(float(small.image.float().mean() - read_picture(data).image.float().mean())) < 4


@pytest.mark.parametrize(("width", "height"), [(3000, 10), (1, 400), (63, 8)])
def test_a_strip_that_no_model_can_see_is_left_out_and_named(put, read, width, height):
    put("a.png")
    put("strip.png", picture(1, width, height))
    loaded = read()
    assert len(loaded.character.pictures) == 1
    assert f"strip.png: is a strip of {width} x {height}, which no model can see" in loaded.report


def test_of_a_panorama_the_part_that_is_trained_is_said(put, read):
    put("wide.png", picture(1, 800, 100))
    loaded = read()
    assert loaded.character.source.size == (100, 800)
    assert "is 800 x 100: training sees only its middle, 400 x 100" in loaded.report


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 30000),
    st.integers(1, 30000),
    st.integers(64, 2048),
    st.sampled_from([8, 16, 64]),
)
def test_no_picture_is_trained_at_more_than_was_asked_for(width, height, resolution, multiple):
    fitted = fitted_size(width, height, resolution, multiple)
    assert all(side % multiple == 0 and side >= 64 for side in fitted)
    assert max(fitted) <= 4 * (min(fitted) + multiple)
    if min(fitted) > 64:
        assert fitted[0] * fitted[1] <= resolution**2 + 2 * multiple * max(fitted)
