"""Folders as people have them."""

import json
import os
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facet.engine.core.character import Character, shot_record
from facet.engine.dataset.export import Options, export
from facet.engine.dataset.formats import PictureFormat
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Names

ZQX = Names(trigger="zqx")


def picture(seed: int = 0, height: int = 12, width: int = 20) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def flat_red(mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (32, 48), (200, 30, 40)).convert(mode)


@pytest.mark.parametrize("layout", Layout)
def test_renamed_and_moved_pictures_are_known_by_their_pixels(character, tmp_path, layout):
    export(character, tmp_path / "from", layout)
    mess = tmp_path / "mess"
    for archive in (tmp_path / "from").glob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(tmp_path / "from")
        archive.unlink()
    pictures = [p for p in (tmp_path / "from").rglob("*.png") if "mask" not in str(p)]
    for number, path in enumerate(sorted(pictures, key=lambda p: p.name)):
        folder = mess / "holiday" / str(number)
        folder.mkdir(parents=True)
        path.rename(folder / f"IMG_{9 - number}.png")
    (tmp_path / "from" / "facet.json").rename(mess / "facet.json")
    back = load(mess).character
    assert [shot.hash for shot in back.pictures] == [shot.hash for shot in character.pictures]
    for one, other in zip(back.pictures, character.pictures, strict=True):
        assert shot_record(one) | {"include": None} == shot_record(other) | {"include": None}
    assert back.source.hash == character.source.hash


def test_two_pictures_that_changed_names_keep_their_own_records(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    one, other = (tmp_path / f"shot_{shot.hash[:16]}.png" for shot in character.shots[:2])
    aside = tmp_path / "aside.png"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    loaded = load(tmp_path)
    tags = {shot.hash: shot.tags for shot in loaded.character.pictures}
    assert tags == {shot.hash: shot.tags for shot in character.pictures}
    assert "was changed since" not in loaded.report


def test_a_new_picture_under_an_old_name_is_no_edit_of_the_renamed_one(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}.png"
    path.rename(tmp_path / "renamed.png")
    picture(5).save(path)
    back = load(tmp_path).character
    [new] = [s for s in back.pictures if s.hash not in {p.hash for p in character.pictures}]
    assert new.provenance.source == "imported" and new.provenance.parent == ""
    assert character.shots[0].hash in {shot.hash for shot in back.pictures}


def test_a_picture_saved_again_by_another_program_is_still_itself(character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}.png"
    with Image.open(path) as opened:
        opened.convert("RGB").save(path)
    loaded = load(tmp_path)
    assert shot_record(loaded.character.shots[0]) == shot_record(character.shots[0])
    assert "!" not in loaded.report


def test_a_renamed_jpeg_is_known_by_its_bytes(character, tmp_path):
    export(character, tmp_path, Layout.FLAT, options=Options(PictureFormat.JPEG))
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}.jpg"
    path.rename(tmp_path / "other.jpeg")
    back = load(tmp_path)
    assert character.shots[0].tags in [shot.tags for shot in back.character.shots]
    assert "was changed since" not in back.report


@pytest.mark.parametrize("suffix", ["heic", "avif", "webp", "jpg", "tif", "bmp", "gif", "png"])
def test_every_format_shows_the_picture(tmp_path, suffix):
    if suffix == "heic":
        import pillow_heif

        pillow_heif.from_pillow(flat_red()).save(tmp_path / "a.heic", quality=95)
    else:
        flat_red().save(tmp_path / f"a.{suffix}")
    image = load(tmp_path, ZQX).character.source.image
    assert image.shape == (48, 32, 3)
    assert (image * 255 - image.new_tensor([200, 30, 40])).abs().max() < 8


def test_a_photograph_of_a_phone_is_upright(tmp_path):
    import pillow_heif

    half = Image.new("RGB", (64, 32), (0, 0, 0))
    half.paste((255, 255, 255), (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise: what is left comes to the top
    pillow_heif.from_pillow(half).save(tmp_path / "a.heic", exif=exif.tobytes(), quality=95)
    half.save(tmp_path / "b.jpg", exif=exif)
    for shot in load(tmp_path, ZQX).character.pictures:
        assert shot.image.shape == (64, 32, 3)
        assert shot.image[:24].mean() > 0.9 and shot.image[40:].mean() < 0.1


def test_without_the_package_for_heic_that_is_said(tmp_path, monkeypatch):
    flat_red().save(tmp_path / "a.png")
    (tmp_path / "b.heic").write_bytes(b"\0" * 40)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert "b.heic: is HEIC, which needs the package pillow-heif" in load(tmp_path, ZQX).report


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "CMYK", "YCbCr", "LAB", "HSV", "1", "I", "F"])
def test_every_mode_becomes_colour(tmp_path, mode):
    suffix = {"CMYK": "jpg", "YCbCr": "jpg"}.get(mode, "tif")
    image = flat_red("L").convert("LA").convert("PA") if mode == "PA" else flat_red(mode)
    if mode == "HSV":
        image = image.convert("RGB")
    image.save(tmp_path / f"a.{suffix}")
    assert load(tmp_path, ZQX).character.source.image.shape == (48, 32, 3)


def test_captions_in_other_encodings_are_read_and_said(tmp_path):
    for number, data in enumerate(
        (
            "zqx person, café".encode(),
            "\ufeffzqx person, café".encode(),
            "zqx person, café".encode("utf-16"),
            "zqx person, café".encode("cp1252"),
            b"\x00zqx\x00 person, caf\xc3\xa9\r\n\r\n",
        )
    ):
        picture(number).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_bytes(data)
    loaded = load(tmp_path, ZQX)
    assert {shot.caption for shot in loaded.character.pictures} == {"zqx person, café"}
    assert loaded.report.count("is not UTF-8") == 2


def test_captions_beside_may_be_called_caption(tmp_path):
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.caption").write_text("zqx person")
    assert load(tmp_path, ZQX).character.source.caption == "zqx person"


def test_five_thousand_files_are_a_report_to_read(tmp_path):
    picture().save(tmp_path / "good.png")
    for number in range(2500):
        (tmp_path / f"torn_{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        (tmp_path / f"alone_{number}.txt").write_bytes(b"zqx")
    loaded = load(tmp_path, ZQX)
    lines = loaded.report.splitlines()
    assert len(lines) < 30
    assert "! and 2490 more: has no image" in lines
    assert any(line.startswith("! and 2490 more: cannot be read") for line in lines)


def test_what_is_no_picture_is_counted_by_kind(tmp_path):
    picture().save(tmp_path / "a.png")
    for name in ("b.mp4", "c.mp4", "d.psd", "Thumbs.db", ".DS_Store", "LICENSE"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "__MACOSX").mkdir()
    picture().save(tmp_path / "__MACOSX" / "._a.png")
    report = load(tmp_path, ZQX).report
    assert "Files of other kinds were not read: 2 .mp4, 1 .psd, 1 LICENSE." in report
    assert report.count("!") == 1


def test_folders_may_be_as_deep_as_a_disk_allows(tmp_path):
    folder = tmp_path
    for _ in range(300):
        folder = folder / "deeper"
    folder.mkdir(parents=True)
    picture().save(folder / "a.png")
    assert len(load(tmp_path, ZQX).character.pictures) == 1


def test_links_are_said_and_lead_nowhere(tmp_path):
    secret, inside = tmp_path / "secret", tmp_path / "in"
    secret.mkdir()
    inside.mkdir()
    (secret / "a.txt").write_text("the secret")
    (secret / "rows.jsonl").write_text('{"file_name": "a.png", "text": "the secret"}')
    picture(1).save(secret / "b.png")
    picture().save(inside / "a.png")
    (inside / "a.txt").symlink_to(secret / "a.txt")
    (inside / "metadata.jsonl").symlink_to(secret / "rows.jsonl")
    (inside / "folder").symlink_to(secret)
    (inside / "self").symlink_to(inside)
    (inside / "loop").symlink_to(inside / "loop")
    (inside / "nothing.png").symlink_to(inside / "gone.png")
    (inside / "same.png").symlink_to(inside / "a.png")
    os.mkfifo(inside / "pipe.png")
    loaded = load(inside, ZQX)
    assert len(loaded.character.pictures) == 1 and loaded.character.source.caption == ""
    for line in (
        "a.txt: leads out of the folder",
        "metadata.jsonl: leads out of the folder",
        "folder: leads out of the folder",
        "self: is a link to a folder",
        "nothing.png: is no file",
        "pipe.png: is no file",
        "same.png: the same image as a.png",
    ):
        assert line in loaded.report, line
    assert "secret" not in loaded.report.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + struct.pack(">II", 1 << 30, 1 << 30),
        b"GIF89a" + b"\xff" * 40,
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"\xff\xd8\xff\xe1\xff\xff" + b"Exif" * 9,
        b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 200,
        b"BM" + b"\xff" * 60,
    ],
)
@pytest.mark.parametrize("suffix", ["png", "heic", "tif"])
def test_broken_files_stop_nothing(tmp_path, data, suffix):
    picture().save(tmp_path / "good.png")
    (tmp_path / f"bad.{suffix}").write_bytes(data)
    (tmp_path / "good-masklabel.png").write_bytes(data)
    loaded = load(tmp_path, ZQX)
    assert len(loaded.character.pictures) == 1 and loaded.character.source.mask is None
    assert f"bad.{suffix}: " in loaded.report and "good-masklabel.png: " in loaded.report


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"{" * 100000, b"\xff\xfe", b'{"pictures": [1]}',
        b'{"pictures": [{"file": 3}]}',
        json.dumps({"pictures": [{"file": "a.png", "tags": 3, "scores": "x"}]}).encode(),
        json.dumps({"pictures": [{"file": "a.png", "tags": {"view": 3}, "weight": "x"}]}).encode(),
        json.dumps({"pictures": [{"file": "../../etc/passwd", "text": "../secret.txt",
                                  "mask": "/etc/passwd"}], "files": 3, "companions": 4}).encode(),
        json.dumps({"pictures": [], "trigger": ["x"], "name": {}, "layout": {}}).encode(),
    ],
)  # fmt: skip
def test_a_manifest_may_say_anything(tmp_path, manifest):
    picture().save(tmp_path / "a.png")
    (tmp_path / "facet.json").write_bytes(manifest)
    try:
        loaded = load(tmp_path, ZQX)
    except ValueError as error:
        pytest.fail(f"refused: {error}")
    assert len(loaded.character.pictures) == 1


def test_a_strangers_zip_is_read_where_it_is(tmp_path):
    path = tmp_path / "photos.zip"
    picture(1).save(tmp_path / "one.png")
    data = (tmp_path / "one.png").read_bytes()
    (tmp_path / "one.png").unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.png", data)
        archive.writestr("back\\slash.txt", "zqx person, from windows")
        archive.writestr("back\\slash.png", data)
        archive.writestr("__MACOSX/._a.png", b"junk")
        archive.writestr("torn.png", data[:50])
    loaded = load(path, ZQX)
    assert len(loaded.character.pictures) == 1
    assert loaded.character.source.caption == "zqx person, from windows"
    assert loaded.character.name == "photos" and "torn.png: cannot be read" in loaded.report
    assert [one.name for one in tmp_path.iterdir()] == ["photos.zip"]


def test_a_broken_zip_is_one_sentence(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ValueError, match="is not a readable zip"):
        load(path, ZQX)


def test_a_zip_among_pictures_is_left_alone(character: Character, tmp_path: Path):
    export(character, tmp_path / "out", Layout.ZIP)
    picture().save(tmp_path / "a.png")
    (tmp_path / "out" / "Ada_Löve.zip").rename(tmp_path / "b.zip")
    (tmp_path / "out").rename(tmp_path / ".out")
    loaded = load(tmp_path, ZQX)
    assert len(loaded.character.pictures) == 1 and "1 .zip" in loaded.report
