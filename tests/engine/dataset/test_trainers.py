"""What other programs make of an exported dataset, by their own rules."""

import json
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import toml
import voluptuous
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.core.character import Character
from facet.engine.dataset.export import Export, Options, export
from facet.engine.dataset.formats import PictureFormat
from facet.engine.dataset.kohya import dataset_toml, train_bat, train_sh
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.trainers import repeats_by_weight
from facet.engine.families.family import Family
from facet.engine.families.recipes import exported as families
from facet.engine.families.table import family as called

# The options and their types in docs/config_README-en.md of sd-scripts, for datasets of the
# DreamBooth kind. An option that is not in there makes it stop.
DATASET = {
    "batch_size": int,
    "bucket_no_upscale": bool,
    "bucket_reso_steps": int,
    "enable_bucket": bool,
    "max_bucket_reso": int,
    "min_bucket_reso": int,
    "resolution": voluptuous.Any(int, [int]),
}
EVERYWHERE = {
    "caption_extension": str,
    "class_tokens": str,
    "flip_aug": bool,
    "keep_tokens": int,
    "num_repeats": int,
    "shuffle_caption": bool,
}
SUBSET = {**EVERYWHERE, voluptuous.Required("image_dir"): str, "is_reg": bool}
SD_SCRIPTS = voluptuous.Schema(
    {
        "general": {**DATASET, **EVERYWHERE},
        "datasets": [{**DATASET, **EVERYWHERE, "subsets": [SUBSET]}],
    }
)
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def as_sd_scripts_reads(config: Path) -> dict[str, tuple[str, int]]:
    """Caption and repeats of each picture, by its name, as its README says they are found."""
    read = SD_SCRIPTS(toml.load(config))
    seen = {}
    for dataset in read["datasets"]:
        side = dataset["resolution"]
        assert dataset["min_bucket_reso"] <= side <= dataset["max_bucket_reso"]
        for subset in dataset["subsets"]:
            for path in (config.parent / subset["image_dir"]).iterdir():
                if path.suffix.lower() not in PICTURES:
                    continue
                text = path.with_suffix(read["general"]["caption_extension"])
                caption = subset["class_tokens"]
                if text.is_file():
                    lines = text.read_text("utf-8").splitlines()
                    assert lines, "sd-scripts stops at an empty caption file"
                    caption = lines[0].strip()
                seen[path.stem] = (caption, subset["num_repeats"])
    return seen


@pytest.mark.parametrize("picture", PictureFormat)
def test_sd_scripts_finds_every_picture_caption_and_repeat(character, tmp_path, picture):
    bare = replace(character.shots[1], caption="")
    who = replace(character, shots=(character.shots[0], bare, character.shots[2]))
    export(who, tmp_path, options=Options(picture))
    assert as_sd_scripts_reads(tmp_path / "dataset.toml") == {
        f"original_{who.source.hash[:16]}": ("zqx person, front view, in a café", 10),
        f"shot_{who.shots[0].hash[:16]}": ("zqx person, left profile", 10),
        f"shot_{bare.hash[:16]}": ("zqx person", 20),
    }


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    class_word=st.text(min_size=1, max_size=30),
    name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl"]), min_size=1, max_size=30),
)
def test_no_word_breaks_the_dataset_file(class_word, name):
    who = picture_of(class_word)
    folder = f"10_{name.replace('/', '_')}"
    text = dataset_toml(who, [f"{folder}/a.png"])
    [subset] = SD_SCRIPTS(toml.loads(text))["datasets"][0]["subsets"]
    assert subset["class_tokens"] == f"zqx {who.class_word}"
    assert subset["image_dir"] == folder


def picture_of(class_word: str) -> Character:
    import torch

    from facet.engine.core.character import Provenance, Shot

    shot = Shot(torch.zeros(8, 8, 3), Provenance("original"))
    return Character("Ada", "zqx", class_word if class_word.strip() else "person", shot)


@pytest.mark.parametrize("family", families(), ids=lambda one: one.key)
def test_the_command_for_sd_scripts_is_one_a_shell_can_read(character, tmp_path, family):
    sly = replace(character, trigger="$HOME`id`;'\"&%PATH%")
    done = export(sly, tmp_path, options=Options(family=family))
    command = tmp_path / "train.sh"
    if family.key in ("qwen_image", "z_image", "flux2"):
        assert not command.exists() and f"no recipe to train {family.label}" in done.summary
        return
    assert subprocess.run(["sh", "-n", str(command)], capture_output=True).stderr == b""
    said = command.read_text("utf-8")
    assert "--output_name HOME_id_PATH_lora" in said and "`id`" not in said
    assert "--dataset_config dataset.toml" in said
    assert b"\r\n" in (tmp_path / "train.bat").read_bytes()


def test_the_command_runs_the_trainer_on_this_dataset(character, tmp_path):
    """With a program called accelerate in its place, which says what it was given."""
    export(character, tmp_path / "my data")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "accelerate").write_text('#!/bin/sh\npwd\nfor a in "$@"; do echo "$a"; done\n')
    (tools / "accelerate").chmod(0o755)
    done = subprocess.run(
        ["sh", str(tmp_path / "my data" / "train.sh")],
        env={"PATH": f"{tools}:/usr/bin:/bin", "SD_SCRIPTS": str(tools), "MODELS": "/my models"},
        capture_output=True,
        text=True,
        check=True,
    )
    where, *given_words = done.stdout.splitlines()
    assert where == str(tmp_path / "my data")
    assert str(tools / "flux_train_network.py") in given_words
    assert given_words[given_words.index("--dataset_config") + 1] == "dataset.toml"
    assert "/my models/flux1-dev.safetensors" in given_words
    assert given_words[given_words.index("--max_train_steps") + 1] == "1500"


def test_both_commands_say_the_same(character):
    unix, windows = train_sh(character, called("sdxl")), train_bat(character, called("sdxl"))
    assert unix and windows
    options = [re.findall(r"--\w+(?: [\w.-]+)?", text) for text in (unix, windows)]
    assert options[0] == options[1] and len(options[0]) > 15


@pytest.mark.parametrize("layout", [Layout.METADATA, Layout.FLAT, Layout.KOHYA])
def test_hugging_face_reads_it(character, tmp_path, layout, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets

    everyone = character
    if layout is Layout.FLAT:  # whose masks and excluded shots stand below, and are read as well
        source, *shots = (replace(shot, mask=None) for shot in character.dataset)
        everyone = replace(character, source=source, shots=tuple(shots))
    folder = tmp_path / "data"
    export(everyone, folder, layout)
    where = folder / "10_zqx person" if layout is Layout.KOHYA else folder
    cache = str(tmp_path / "cache")
    read = datasets.load_dataset("imagefolder", data_dir=str(where), cache_dir=cache, split="train")
    if layout is Layout.METADATA:
        rows = {row["text"]: row["image"].size for row in read}
        assert rows == {shot.caption: (16, 24) for shot in everyone.dataset}
    else:
        assert {image.size for image in read["image"]} == {(16, 24)}


def exported(character: Character, folder: Path, layout: Layout, family: Family) -> Export:
    return export(character, folder, layout, options=Options(family=family))


@pytest.mark.parametrize("family", families(), ids=lambda one: one.key)
def test_ai_toolkit_is_told_every_folder_and_how_often(character, tmp_path, family, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where its run.py is started
    done = exported(character, tmp_path, Layout.AI_TOOLKIT, family)
    path = tmp_path / "ai_toolkit.yaml"
    if family.key == "flux2":
        assert not path.exists() and "no recipe" in done.summary
        return
    config = yaml.safe_load(path.read_text("utf-8"))
    assert config["job"] == "extension" and config["config"]["name"] == "zqx_lora"
    [process] = config["config"]["process"]
    assert process["model"]["name_or_path"] and process["trigger_word"] == "zqx"
    once, twice = process["datasets"]
    assert (once["num_repeats"], twice["num_repeats"]) == (1, 2)
    # It looks into the folders of a folder, so masks and what is excluded may not be below these.
    seen = {path.name for one in (once, twice) for path in Path(one["folder_path"]).rglob("*.*")}
    included = [
        f"{'original' if s is character.source else 'shot'}_{s.hash[:16]}"
        for s in character.dataset
    ]
    assert seen == {f"{stem}{suffix}" for stem in included for suffix in (".png", ".txt")}
    assert Path(once["mask_path"]).is_dir() and "mask_path" not in twice


@pytest.mark.parametrize("family", families(), ids=lambda one: one.key)
def test_onetrainer_is_told_its_concepts(character, tmp_path, family):
    exported(character, tmp_path, Layout.ONETRAINER, family)
    config = json.loads((tmp_path / "onetrainer.json").read_text("utf-8"))
    assert config["training_method"] == "LORA" and config["masked_training"] is True
    concepts = json.loads(Path(config["concept_file_name"]).read_text("utf-8"))
    assert [concept["balancing"] for concept in concepts] == [1.0, 2.0]
    for concept in concepts:
        assert concept["include_subdirectories"] is False
        assert concept["image"]["enable_random_flip"] is False
        pictures = [p for p in Path(concept["path"]).glob("*.png") if "-masklabel" not in p.name]
        assert pictures and all(path.with_suffix(".txt").is_file() for path in pictures)
    masks = list((tmp_path / "images").glob("*-masklabel.png"))
    assert len(masks) == 2


LAYOUTS = [layout for layout in Layout if layout is not Layout.ONETRAINER]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_shared_says_nothing_of_the_machine(character, tmp_path, layout):
    """OneTrainer alone looks for relative paths in its own folder; its full ones are said."""
    export(character, tmp_path / "data", layout)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert not [path.name for path in files if str(tmp_path).encode() in path.read_bytes()]


def test_full_paths_for_onetrainer_are_said(character, tmp_path):
    assert "leave them out when you share" in export(character, tmp_path, Layout.ONETRAINER).summary


def test_weights_become_the_smallest_whole_repeats(character):
    weighed = [0.5, 1.0, 2.5, 0.0]
    shots = [replace(shot, include=True) for shot in character.pictures]
    given = [replace(shot, weight=weight) for shot, weight in zip(shots, weighed, strict=True)]
    who = replace(character, source=given[0], shots=tuple(given[1:]))
    assert repeats_by_weight(who) == {0.0: 1, 0.5: 5, 1.0: 10, 2.5: 25}


def test_the_zip_holds_pictures_and_texts_and_nothing_else(character, tmp_path):
    export(character, tmp_path, Layout.ZIP)
    with zipfile.ZipFile(tmp_path / "Ada_Löve.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    stems = [f"original_{character.source.hash[:16]}"]
    stems += [f"shot_{shot.hash[:16]}" for shot in character.shots[:2]]
    assert sorted(names) == sorted(f"{s}{suffix}" for s in stems for suffix in (".png", ".txt"))


def test_the_zip_is_the_same_bytes_each_time(character, tmp_path):
    for folder in ("a", "b"):
        export(character, tmp_path / folder, Layout.ZIP)
    one, other = ((tmp_path / folder / "Ada_Löve.zip").read_bytes() for folder in ("a", "b"))
    assert one == other
    assert export(character, tmp_path / "a", Layout.ZIP).written == []


def test_a_zip_that_was_cut_off_leaves_the_old_one(character, tmp_path):
    export(character, tmp_path, Layout.ZIP)
    before = (tmp_path / "Ada_Löve.zip").read_bytes()

    def stop(number: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(character.captioned({character.source.hash: "zqx"}), tmp_path, Layout.ZIP, 10, stop)
    assert (tmp_path / "Ada_Löve.zip").read_bytes() == before
    assert not list(tmp_path.glob(".zip*"))


def test_a_zip_alone_still_knows_who_it_is(character, tmp_path):
    who = replace(character, companions=("zqb dog",))
    export(who, tmp_path, Layout.ZIP)
    back = load(tmp_path / "Ada_Löve.zip").character
    assert (back.name, back.trigger, back.class_word) == (who.name, "zqx", "person")
    assert back.companions == ("zqb dog",) and back.source.hash == who.source.hash
    assert {shot.hash for shot in back.pictures} == {shot.hash for shot in who.dataset}
    assert {shot.caption for shot in back.pictures} == {shot.caption for shot in who.dataset}


def test_the_asset_library_is_a_tree_of_one_character(character, tmp_path):
    face = replace(character.shots[0], tags=replace(character.shots[0].tags, expression="smile"))
    who = replace(character, shots=(face, *character.shots[1:]))
    export(who, tmp_path, Layout.ASSET_LIBRARY)
    own = tmp_path / "characters" / "Ada_Löve"
    assert (own / "reference" / "expressions" / f"smile_{face.hash[:16]}.png").is_file()
    assert (own / "reference" / f"original_{who.source.hash[:16]}.png").is_file()
    assert (own / "lora").is_dir()
    prompts = (own / "prompts.txt").read_text("utf-8").splitlines()
    assert prompts == ["zqx person", *(shot.caption for shot in who.dataset)]
