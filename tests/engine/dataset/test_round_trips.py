"""Any character, out to any layout and back: equal, and never a file anywhere else."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facet.engine.core.character import Character, Provenance, Score, Shot, Tags, shot_record
from facet.engine.dataset.export import Options, export
from facet.engine.dataset.formats import PictureFormat, record_in
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.families.recipes import exported

EVIL = (
    "../../x", "/etc/passwd", "..", ".", "a/b\\c", "C:\\x", "CON", "nul.txt", "~", "$(id)", "`id`",
    "%PATH%", "a\nb\r\n\tc", " ", "", "-rf", "\u202egnp.exe", "👩🏽\u200d🚀 é e\u0301", "masks",
    "\x00\x7f\x1b", "'\"]]\n[[datasets]]", "{}: [x, - y] # z", "ÿþ", "x" * 65536, "ß" * 40000,
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(EVIL), st.text(max_size=60))
WORDS = st.one_of(st.sampled_from(EVIL[:-2]), st.text(max_size=20))
LOSSLESS = [kind for kind in PictureFormat if kind.lossless]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def shots(draw: st.DrawFn, seed: int, source: bool = False) -> Shot:
    generator = torch.Generator().manual_seed(seed)
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    image = torch.rand(height + seed // 4, width, 3, generator=generator)
    mask = torch.rand(image.shape[:2], generator=generator) if draw(st.booleans()) else None
    scores = st.builds(Score, WORDS, NUMBERS, NUMBERS, st.sampled_from([None, True, False]), WORDS)
    return Shot(
        image,
        Provenance(
            "original" if source else "generated",
            draw(TEXTS),
            draw(TEXTS),
            seed=draw(st.integers()),
        ),
        mask=mask,
        caption=draw(TEXTS),
        tags=draw(st.builds(Tags, *[WORDS] * 7, st.tuples(WORDS))),
        scores=tuple(draw(st.lists(scores, max_size=2))),
        include=source or draw(st.booleans()),
        weight=draw(st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0, 1e-9])),
        by_hand=draw(st.booleans()),
    )


@st.composite
def characters(draw: st.DrawFn) -> Character:
    trigger = st.sampled_from(
        ["zqx", "../x", "a/../../b", "é👩", "$(id)", "%0", "'\"", "-", "z" * 999]
    )
    words = st.text(min_size=1, max_size=9)
    return Character(
        draw(TEXTS.filter(lambda text: any(letter.isalnum() for letter in text))),
        draw(st.one_of(trigger, words).filter(_is_trigger)),
        draw(TEXTS.filter(lambda text: text.strip())),
        draw(shots(0, source=True)),
        tuple(draw(shots(seed)) for seed in range(1, 1 + draw(st.integers(0, 3)))),
        tuple(draw(st.lists(st.sampled_from(["zqb dog", "y ../x"]), max_size=2))),
    )


def _is_trigger(word: str) -> bool:
    return bool(word.strip()) and not any(c.isspace() or c in ",()[]:" for c in word.strip())


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outside")


@pytest.mark.parametrize("layout", Layout)
@settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(who=characters(), picture=st.sampled_from(LOSSLESS), family=st.sampled_from(exported()))
def test_everything_comes_back(outside, layout, who, picture, family):
    folder = outside / "in" / "here"
    try:
        export(who, folder, layout, options=Options(picture, family=family))
        back = load(folder).character
        assert back.name == who.name
        assert (back.trigger, back.class_word, back.companions) == (
            who.trigger,
            who.class_word,
            who.companions,
        )
        for one, other in zip(back.pictures, who.pictures, strict=True):
            assert one.image.equal(other.image)
            assert shot_record(one) == shot_record(other)
            assert (one.mask is None) == (other.mask is None)
            if one.mask is not None and other.mask is not None:
                assert (one.mask - other.mask).abs().max() <= 1 / 65535
        assert back.hash == who.hash
        assert {path.name for path in outside.iterdir()} == {"in"}
        assert {path.name for path in (outside / "in").iterdir()} == {"here"}
        assert export(back, folder, layout, options=Options(picture, family=family)).written == []
    finally:
        shutil.rmtree(folder.parent)


@pytest.mark.parametrize("name", ["masks", "excluded", "characters", "lora", "train"])
@pytest.mark.parametrize("layout", Layout)
def test_a_character_may_have_the_name_of_a_folder(character, tmp_path, layout, name):
    who = replace(character, name=name)
    export(who, tmp_path, layout)
    assert load(tmp_path).character.hash == who.hash


@pytest.mark.parametrize("layout", Layout)
def test_the_manifest_has_the_hash_of_every_file(character, tmp_path, layout):
    export(character, tmp_path, layout)
    listed = json.loads((tmp_path / "facet.json").read_text("utf-8"))["files"]
    found = {}
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "facet.json":
            found[path.relative_to(tmp_path).as_posix()] = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                inside = {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
                found |= inside
    assert {name: hashlib.sha256(data).hexdigest() for name, data in found.items()} == listed


def blurred(shot: Shot) -> Shot:
    rough = shot.image.permute(2, 0, 1)[None, :, ::8, ::8]
    size = shot.image.shape[:2]
    return replace(
        shot,
        image=torch.nn.functional.interpolate(rough, size, mode="bilinear")[0].permute(1, 2, 0),
    )


@pytest.mark.parametrize("kind", [PictureFormat.JPEG, PictureFormat.WEBP])
@pytest.mark.parametrize("layout", [Layout.KOHYA, Layout.ZIP])
def test_formats_that_lose_some_come_back_near_and_say_so(character, tmp_path, layout, kind):
    smooth = replace(
        character, source=blurred(character.source), shots=tuple(map(blurred, character.shots))
    )
    export(smooth, tmp_path, layout, options=Options(kind, 90))
    loaded = load(tmp_path)
    for one, other in zip(loaded.character.pictures, smooth.pictures, strict=True):
        assert (one.image - other.image).abs().mean() < 0.03
        assert shot_record(one) | {"hash": ""} == shot_record(other) | {"hash": ""}
    changed = {shot.hash for shot in smooth.pictures} - {s.hash for s in loaded.character.pictures}
    assert loaded.report.count("near the image that was exported, not equal") == len(changed) > 2
    assert "was changed since" not in loaded.report


def test_quality_is_what_it_says(character, tmp_path):
    sizes = []
    for quality in (30, 95):
        folder = tmp_path / str(quality)
        export(character, folder, Layout.FLAT, options=Options(PictureFormat.JPEG, quality))
        sizes.append(sum(path.stat().st_size for path in folder.glob("*.jpg")))
    assert sizes[0] < sizes[1]


def test_another_format_replaces_the_pictures(character, tmp_path):
    export(character, tmp_path, options=Options(PictureFormat.JPEG))
    export(character, tmp_path)
    assert not list(tmp_path.rglob("*.jpg"))
    assert load(tmp_path).character.hash == character.hash


def test_half_a_character_is_one_sentence(character, tmp_path):
    prompt = replace(character.source.provenance, prompt="half a \ud83d")
    torn = replace(character, source=replace(character.source, provenance=prompt))
    with pytest.raises(ValueError, match="that no file can store"):
        export(torn, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", PictureFormat)
def test_each_picture_says_where_it_came_from_and_by_which_workflow(character, tmp_path, kind):
    workflow = {"prompt": '{"1": {}}', "workflow": '{"nodes": []}'}
    export(character, tmp_path, Layout.FLAT, options=Options(kind, workflow=workflow))
    path = tmp_path / f"shot_{character.shots[0].hash[:16]}{kind.suffix}"
    with Image.open(path) as opened:
        assert record_in(opened) == shot_record(character.shots[0])
        if kind is PictureFormat.PNG:
            assert {key: opened.info[key] for key in workflow} == workflow
        else:
            exif = opened.getexif()
            assert exif[0x0110] == 'prompt:{"1": {}}' and exif[0x010F] == 'workflow:{"nodes": []}'
    report = export(
        character, tmp_path, Layout.FLAT, options=Options(kind, workflow={"prompt": "{}"})
    )
    assert report.written == []  # the workflow that made a picture stays in it
    assert path.name in export(character, tmp_path, Layout.FLAT, options=Options(kind)).written


def test_a_workflow_that_is_too_large_for_a_jpeg_is_left_out(character, tmp_path):
    options = Options(PictureFormat.JPEG, workflow={"workflow": "x" * 70000})
    export(character, tmp_path, Layout.FLAT, options=options)
    with Image.open(tmp_path / f"shot_{character.shots[0].hash[:16]}.jpg") as opened:
        assert record_in(opened) == shot_record(character.shots[0])
        assert 0x010F not in opened.getexif()
