"""Folders as other trainers want them: regularisation images, and masks by any name."""

import pytest
from PIL import Image
from trials.conftest import encoded, picture


def names(loaded):
    return len(loaded.character.pictures)


@pytest.mark.parametrize(
    "reg", ["reg", "REG", "regularisation", "regularization_images", "reg_img", "class_images"]
)
def test_regularisation_images_are_left_out_and_said(put, read, reg):
    for name in ("img/10_zqx person/a.png", "img/10_zqx person/b.png"):
        put(name)
    for name in (f"{reg}/1_person/r1.png", f"{reg}/1_person/r2.png", f"{reg}/r3.png"):
        put(name)
    put(f"{reg}/1_person/r1.txt", "person")
    put("log/events.out", "x")
    loaded = read(trigger="")
    who = loaded.character
    assert (who.trigger, who.class_word, names(loaded)) == ("zqx", "person", 2)
    assert [shot.weight for shot in who.pictures] == [1, 1]
    assert (
        f"! {reg}: holds regularisation images" in loaded.report and "(3 images)" in loaded.report
    )
    assert "has no image" not in loaded.report


def test_a_folder_of_the_class_beside_one_with_a_trigger_is_regularisation(put, read):
    put("10_zqx old woman/a.png")
    put("1_old woman/b.png")
    put("5_other/c.png")
    loaded = read(trigger="")
    assert names(loaded) == 2
    assert "! 1_old woman: holds regularisation images" in loaded.report


@pytest.mark.parametrize("only", ["reg/a.png", "1_person/a.png", "region/a.png"])
def test_where_there_is_nothing_else_it_is_the_dataset(put, read, only):
    put(only)
    assert names(read()) == 1


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a.png", "mask/a.png"), ("a.png", "masks/a.png"), ("a.png", "Masks/A.PNG"),
        ("a.png", "MASK/a.jpg"), ("a.png", "a_mask.png"), ("a.png", "a.mask.png"),
        ("a.png", "a-mask.png"), ("a.jpg", "a_Mask.webp"), ("a.png", "A-MASK.BMP"),
        ("a.png", "a mask.png"), ("a.png", "a_masks.png"), ("a.png", "a-masklabel.png"),
        ("a.png", "a_masklabel.png"), ("a.png", "masks/a_mask.png"), ("a.png", "a__mask.png"),
        ("images/a.png", "masks/a.png"), ("x/y/a.png", "mask/x/y/a.png"),
        ("x/a.png", "x/mask/a.png"),
        ("images/x/a.png", "masks/x/a.png"), ("5_zqx person/a.png", "mask/5_zqx person/a.png"),
    ],
)  # fmt: skip
def test_a_mask_is_known_by_any_of_its_names(put, read, image, mask):
    put(image)
    half = Image.new("L", (40, 60))
    half.paste(255, (0, 0, 40, 30))
    put(mask, half.convert("RGB"))
    loaded = read()
    [shot] = loaded.character.pictures
    assert shot.mask is not None and "!" not in loaded.report
    assert shot.mask[:26].mean() > 0.98 and shot.mask[34:].mean() < 0.02


def test_each_picture_has_the_mask_of_its_own_folder(put, read):
    for at, folder in enumerate(("one", "two")):
        put(f"{folder}/a.png")
        put(f"masks/{folder}/a.png", Image.new("L", (40, 60), 255 * at))
    shots = read().character.pictures
    assert [float(shot.mask.mean()) for shot in shots] == [0, 1]


@pytest.mark.parametrize("scale", [0.5, 2, 3])
def test_a_mask_of_another_size_is_scaled_and_one_of_another_shape_is_refused(put, read, scale):
    put("a.png")
    put("a_mask.png", Image.new("L", (round(40 * scale), round(60 * scale)), 255))
    put("b.png")
    put("b_mask.png", Image.new("L", (60, 40), 255))
    loaded = read()
    assert [shot.mask is None for shot in loaded.character.pictures] == [False, True]
    assert "b_mask.png: has another shape than its image" in loaded.report


def test_a_transparent_mask_is_its_alpha(put, read):
    put("a.png")
    cut = Image.new("RGBA", (40, 60), (255, 255, 255, 0))
    cut.paste((255, 255, 255, 255), (0, 0, 40, 30))
    put("masks/a.png", cut)
    mask = read().character.source.mask
    assert mask[:30].min() == 1 and mask[30:].max() == 0


def test_a_picture_of_somebody_with_a_mask_stays_a_picture(put, read):
    put("woman_mask.png")
    put("hero.png")
    put("hero_mask.png")
    put("hero_mask.txt", "zqx person with a mask")
    put("unmask.png")
    loaded = read()
    assert names(loaded) == 4 and all(shot.mask is None for shot in loaded.character.pictures)


def test_a_mask_of_no_picture_is_named(put, read):
    put("a.png")
    put("mask/other.png")
    loaded = read()
    assert names(loaded) == 1
    assert "mask/other.png: looks like a mask, and belongs to no image" in loaded.report


def test_onetrainers_conditions_are_no_pictures(put, read):
    put("a.png")
    put("a-condlabel.png")
    put("a-CondLabel.PNG", encoded(picture(8)))
    assert names(read()) == 1
