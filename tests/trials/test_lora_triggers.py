"""Who is in a LoRA: the trigger where each trainer writes it, and metadata that makes no sense."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from facet.engine.comfyui.lora import Calls, LoraFile

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
