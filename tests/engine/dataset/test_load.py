import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Names
from facet.engine.dataset.tree import fingerprint

ZQX = Names(trigger="zqx")


def gradient(height: int = 12, width: int = 20) -> Image.Image:
    values = np.arange(height * width * 3).reshape(height, width, 3) % 256
    return Image.fromarray(values.astype(np.uint8))


def test_a_folder_of_loose_pictures_becomes_a_character(tmp_path):
    gradient().save(tmp_path / "a.png")
    gradient(30, 10).save(tmp_path / "B.JPG", quality=95)
    gradient(9, 9).save(tmp_path / "c.webp", lossless=True)
    (tmp_path / "a.txt").write_text("zqx person, smiling\n", "utf-8")
    loaded = load(tmp_path, Names("Ada", "zqx", "woman", "c.webp"))
    who = loaded.character
    assert (who.name, who.trigger, who.class_word) == ("Ada", "zqx", "woman")
    assert who.source.image.shape == (9, 9, 3)
    assert [shot.image.shape[:2] for shot in who.shots] == [(30, 10), (12, 20)]
    assert [shot.caption for shot in who.shots] == ["", "zqx person, smiling"]
    assert "Without a caption: 2." in loaded.report


def test_every_kind_of_picture_file_shows_the_same_colours(tmp_path):
    red = Image.new("RGB", (10, 14), (200, 30, 40))
    for mode in ("RGB", "RGBA", "CMYK"):
        suffix = "jpg" if mode == "CMYK" else "png"
        red.convert(mode).save(tmp_path / f"{mode}.{suffix}")
    red.quantize(4).save(tmp_path / "palette.png")
    for path in sorted(tmp_path.iterdir()):
        folder = tmp_path / path.stem
        folder.mkdir()
        path.rename(folder / path.name)
        image = load(folder, ZQX).character.source.image
        assert image.shape == (14, 10, 3)
        assert (image * 255 - image.new_tensor([200, 30, 40])).abs().max() < 6, path.name


def test_grey_pictures_of_8_and_16_bits_become_grey_colour(tmp_path):
    ramp = np.linspace(0, 255, 64).reshape(8, 8)
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "eight.png")
    Image.fromarray((ramp * 257).astype(np.uint16)).save(tmp_path / "sixteen.png")
    for shot in load(tmp_path, ZQX).character.pictures:
        assert (shot.image[..., 0] * 255 - torch.from_numpy(ramp)).abs().max() < 1.01
        assert shot.image[..., 0].equal(shot.image[..., 2])


def test_transparency_becomes_white_and_a_mask(tmp_path):
    rgba = np.zeros((6, 6, 4), np.uint8)
    rgba[:, :3, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "cut.png")
    source = load(tmp_path, ZQX).character.source
    assert source.image[:, :3].max() == 0 and source.image[:, 3:].min() == 1
    assert source.mask is not None and source.mask[0].tolist() == [1, 1, 1, 0, 0, 0]


def test_a_photograph_taken_sideways_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    gradient(12, 20).save(tmp_path / "phone.jpg", exif=exif)
    assert load(tmp_path, ZQX).character.source.image.shape == (20, 12, 3)


def test_what_cannot_be_read_is_reported_and_left_out(tmp_path):
    gradient().save(tmp_path / "good.png")
    (tmp_path / "good.txt").write_bytes("zqx person, in a caf\xe9".encode("cp1252"))
    (tmp_path / "torn.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    (tmp_path / "words.jpg").write_text("not a picture")
    (tmp_path / "empty.webp").write_bytes(b"")
    (tmp_path / "alone.txt").write_text("zqx person")
    (tmp_path / "copy.png").write_bytes((tmp_path / "good.png").read_bytes())
    loaded = load(tmp_path, ZQX)
    assert len(loaded.character.pictures) == 1
    for name in ("torn.png", "words.jpg", "empty.webp", "alone.txt: has no image", "good.txt"):
        assert name in loaded.report
    assert "the same image as" in loaded.report
    assert loaded.character.source.caption == "zqx person, in a café"


def test_a_folder_without_pictures_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="There is no image to read"):
        load(tmp_path, ZQX)


def test_a_folder_that_does_not_say_its_trigger_is_one_sentence(tmp_path):
    gradient().save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="what the trigger is"):
        load(tmp_path)


def test_kohya_folders_give_trigger_class_and_weights(tmp_path):
    for folder, height in (("5_mira old woman", 8), ("10_mira old woman", 9)):
        (tmp_path / folder).mkdir()
        gradient(height).save(tmp_path / folder / "x.png")
    who = load(tmp_path).character
    assert (who.trigger, who.class_word) == ("mira", "old woman")
    weights = {shot.image.shape[0]: shot.weight for shot in who.pictures}
    assert weights == {8: 1.0, 9: 2.0}


def test_metadata_rows_give_captions_and_bad_rows_are_reported(tmp_path):
    gradient().save(tmp_path / "a.png")
    rows = '{"file_name": "a.png", "text": "zqx person"}\nnot json\n{"file_name": "b.png"}\n'
    (tmp_path / "metadata.jsonl").write_text(rows)
    loaded = load(tmp_path, ZQX)
    assert loaded.character.source.caption == "zqx person"
    assert "line 2" in loaded.report and "b.png" in loaded.report


def test_a_picture_retouched_by_hand_is_known_as_edited(character: Character, tmp_path):
    export(character, tmp_path, Layout.FLAT)
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}.png"
    gradient(24, 16).save(path)
    loaded = load(tmp_path)
    shot = loaded.character.shots[0]
    assert shot.provenance.source == "edited" and shot.scores == ()
    assert shot.provenance.parent == character.shots[0].hash
    assert "was changed since" in loaded.report


def test_a_lost_manifest_costs_only_the_names(character: Character, tmp_path):
    export(character, tmp_path)
    (tmp_path / "facet.json").unlink()
    back = load(tmp_path).character
    assert back.source.hash == character.source.hash
    assert {shot.hash for shot in back.dataset} == {shot.hash for shot in character.dataset}
    assert (back.trigger, back.class_word) == ("zqx", "person")


def test_a_broken_manifest_is_reported(character: Character, tmp_path):
    export(character, tmp_path)
    (tmp_path / "facet.json").write_text('{"pictures": 3}')
    assert "facet.json does not list images" in load(tmp_path).report


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    gradient().save(inside / "a.png")
    gradient(9, 9).save(outside / "secret.png")
    (inside / "b.png").symlink_to(outside / "secret.png")
    loaded = load(inside, ZQX)
    assert len(loaded.character.pictures) == 1
    assert "b.png: leads out of the folder" in loaded.report


def test_the_fingerprint_notices_every_change(character: Character, tmp_path):
    export(character, tmp_path)
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    next(tmp_path.rglob("*.txt")).write_text("zqx person, changed")
    assert fingerprint(tmp_path) != before
