"""Who is in a LoRA: the trigger where each trainer writes it, and metadata that makes no sense."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from facet.engine.comfyui.lora import Calls, LoraFile
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.store.tensors import kohya_hashes, read_tensors
from facet.engine.training.run import train
from facet.engine.training.settings import TrainingSettings
from harness.small_models import small_models

ZQX = [Calls("zqx", "person")]


def lora(metadata: dict[str, Any]) -> LoraFile:
    told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    return LoraFile({"a": torch.zeros(1)}, "given", told)


def config(**subset: Any) -> dict[str, Any]:
    return {"ss_datasets": [{"is_dreambooth": True, "subsets": [{"img_count": 4, **subset}]}]}


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"ss_dataset_dirs": {"10_zqx person": {"img_count": 4}}}, id="kohya"),
        pytest.param({"ss_tag_frequency": {"10_zqx person": {"smile": 3}}}, id="kohya, tags"),
        pytest.param({"ss_tag_frequency": {"1_zqx person": {"zqx person": 1}}}, id="ai-toolkit"),
        pytest.param(config(class_tokens="zqx person", image_dir="/a/img"), id="FluxGym"),
        pytest.param(config(class_tokens=None, image_dir="C:\\a\\10_zqx person\\"), id="folder"),
        pytest.param(
            {
                "ss_datasets": [
                    {"subsets": [{"class_tokens": "person", "is_reg": True}]},
                    {"subsets": [{"class_tokens": "zqx person", "is_reg": False}]},
                ]
            },
            id="FluxGym with strangers",
        ),
        pytest.param(
            {"trained_words": "zqx person", "ss_tag_frequency": {"set-a": {"smile": 9}}},
            id="SimpleTuner",
        ),
        pytest.param({"modelspec.trigger_phrase": "zqx person"}, id="modelspec"),
        pytest.param({"trigger_words": ["zqx person"]}, id="a list"),
        pytest.param({"ss_trigger_words": "zqx  person, "}, id="ss_trigger_words"),
        pytest.param({"activation text": "zqx person"}, id="a1111"),
        pytest.param({"trainedWords": ["zqx person"]}, id="Civitai"),
        pytest.param(
            {"modelspec.trigger_phrase": "None", **config(class_tokens="zqx person")}, id="none"
        ),
        pytest.param({"facet.trigger": "zqx", "facet.class_word": "person"}, id="Facet"),
        pytest.param(
            {
                "ss_reg_dataset_dirs": {"1_person": {}},
                "ss_tag_frequency": {"1_person": {"person": 9}, "10_zqx person": {"smile": 3}},
            },
            id="kohya with strangers",
        ),
    ],
)
def test_the_trigger_is_found_where_each_trainer_writes_it(metadata: dict[str, Any]) -> None:
    assert list(lora(metadata).calls) == ZQX


@pytest.mark.parametrize("phrase", ["小明 person", "Loïc", "saber (fate)"])
def test_triggers_of_any_script_come_out_as_they_are(phrase: str) -> None:
    for metadata in (
        {"modelspec.trigger_phrase": phrase},
        config(class_tokens=phrase),
        {"ss_tag_frequency": {f"1_{phrase}": {}}},
    ):
        assert [one.text for one in lora(metadata).calls] == [phrase]


NONSENSE = (
    "",
    "null",
    "[]",
    "{}",
    "[1]",
    '"text"',
    "no json",
    "[" * 100_000,
    '{"a":' * 100_000,
    "1" + "0" * 5_000,
    "NaN",
    '{"10_zqx": null}',
    '{"10_zqx": [1]}',
    '{"10_zqx": {"a": {}, "b": "c", "d": 1e999}}',
    '{"10_\\ud83d": {"\\ud83d": 4}}',
    '[{"subsets": 7}, 7, {"subsets": [7, {"class_tokens": {}}, {"image_dir": 7}]}]',
    '[{"subsets": [{"class_tokens": "\\ud83d person", "image_dir": null}]}]',
    "\0\x01",
    "x" * 10_000_000,
)
KEYS = (
    "facet.trigger",
    "facet.class_word",
    "modelspec.trigger_phrase",
    "modelspec.description",
    "trigger_words",
    "ss_datasets",
    "ss_dataset_dirs",
    "ss_reg_dataset_dirs",
    "ss_tag_frequency",
)


@pytest.mark.parametrize("number", range(len(NONSENSE)))
def test_metadata_that_makes_no_sense_never_raises_and_can_be_used(number: int) -> None:
    for key in KEYS:
        for others in ({}, {"facet.trigger": "zqx"}, {"ss_tag_frequency": '{"10_zqx": {"a": 4}}'}):
            told = lora({**others, key: NONSENSE[number]})
            texts = [*told.says, *(one.text for one in told.calls)]
            assert all(one.encode() is not None and len(one) <= 2000 for one in texts)
            assert all(one.trigger and "\n" not in one.text for one in told.calls)


# Facet's own file, elsewhere


def kohya(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> dict[str, str]:
    """The hashes as sd-scripts makes them: of a file with no metadata but its own."""
    content = save(tensors, {key: text for key, text in metadata.items() if key.startswith("ss_")})
    start = 8 + int.from_bytes(content[:8], "little")
    return {
        "sshs_model_hash": hashlib.sha256(content[start:]).hexdigest(),
        "sshs_legacy_hash": hashlib.sha256(content[0x100000:0x110000]).hexdigest()[:8],
    }


@pytest.mark.parametrize("values", [10, 600_000])
@pytest.mark.parametrize("name", ["ada", '小明 é \\ " \n \t \x7f'])
def test_the_hashes_are_those_of_sd_scripts(values: int, name: str) -> None:
    drawn = torch.randn(values, generator=torch.Generator().manual_seed(0))
    tensors = {"b": drawn, "a": drawn.half()}
    for length in range(9):  # whatever the header is filled up with
        metadata = {"ss_output_name": name + "x" * length, "ss_steps": "3", "facet.step": "3"}
        assert kohya_hashes(tensors, metadata) == kohya(tensors, metadata)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same training twice, of two characters in three pictures."""
    with torch.inference_mode():
        models = small_models()
    captions = ("zqx person, smile", "zqx person, smile, zqb cat", "zqb cat, in a park")
    shots = [
        Shot(
            torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(number)),
            Provenance("imported"),
            caption=caption,
        )
        for number, caption in enumerate(captions)
    ]
    ada = Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]), companions=("zqb cat",))
    settings = TrainingSettings(steps=2, rank=2, learning_rate=1e-2, precision="fp32", seed=1)
    files = []
    for number in range(2):
        folder = tmp_path_factory.mktemp(f"training{number}")
        given = (models.model, models.clip, models.vae, ada, settings)
        files.append(train(*given, folder / "training", "run", folder / "loras").lora)
    return files


def test_facets_own_lora_says_its_trigger_where_viewers_look(trained: list[Path]) -> None:
    tensors, metadata = read_tensors(trained[0])
    assert json.loads(metadata["ss_dataset_dirs"]) == {
        "10_zqx person": {"n_repeats": 10, "img_count": 2},
        "10_zqb cat": {"n_repeats": 10, "img_count": 2},
    }
    assert json.loads(metadata["ss_tag_frequency"]) == {
        "10_zqx person": {"smile": 2, "zqx person": 2, "zqb cat": 1},
        "10_zqb cat": {"zqb cat": 2, "in a park": 1, "smile": 1, "zqx person": 1},
    }
    hashes = {key: text for key, text in metadata.items() if key.startswith("sshs_")}
    assert hashes == kohya(tensors, metadata)
    theirs = {key: text for key, text in metadata.items() if not key.startswith("facet.")}
    for told in (theirs, {k: v for k, v in theirs.items() if not k.startswith("modelspec.")}):
        assert lora(told).calls == (Calls("zqx", "person"), Calls("zqb", "cat"))


def test_the_same_training_still_gives_the_same_file(trained: list[Path]) -> None:
    assert trained[0] != trained[1] and trained[0].read_bytes() == trained[1].read_bytes()
