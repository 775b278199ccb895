import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.generate.comfyui.lora import (
    Calls,
    LoraFile,
    agreed,
    called,
    read_lora_file,
)


def lora(**metadata: str) -> LoraFile:
    return LoraFile({"a": torch.zeros(1)}, "ada_v1", metadata)


def character(trigger: str = "zqx") -> Character:
    return Character("Ada", trigger, "person", Shot(torch.zeros(8, 8, 3), Provenance("original")))


@pytest.mark.parametrize(
    ("metadata", "calls"),
    [
        ({"facet.trigger": "zqx", "facet.class_word": "person"}, [Calls("zqx", "person")]),
        ({"modelspec.trigger_phrase": "ohwx young woman"}, [Calls("ohwx", "young woman")]),
        ({"modelspec.trigger_phrase": "ohwx"}, [Calls("ohwx")]),
        (
            {
                "facet.trigger": "zqa",
                "facet.class_word": "person",
                "modelspec.trigger_phrase": "zqa person, zqb cat",
            },
            [Calls("zqa", "person"), Calls("zqb", "cat")],
        ),
        ({"ss_dataset_dirs": json.dumps({"10_zqx dog": {"n_repeats": 10}})}, [Calls("zqx", "dog")]),
        ({"ss_dataset_dirs": "no json"}, []),
        ({"ss_dataset_dirs": "[1]"}, []),
        ({}, []),
    ],
)
def test_the_file_says_how_its_characters_are_called(metadata, calls):
    assert list(lora(**metadata).calls) == calls


def test_the_tags_of_most_pictures_are_what_the_file_tells():
    tags = {"short hair": 9, "smile": 3, "zqx": 10}
    told = lora(
        **{
            "ss_tag_frequency": json.dumps({"10_zqx": tags}),
            "ss_dataset_dirs": json.dumps({"10_zqx": {"img_count": 10}}),
            "modelspec.description": "A girl with red hair",
        }
    )
    assert told.says == ["A girl with red hair", "short hair", "zqx"]


def test_a_file_is_read_with_what_it_says(tmp_path: Path):
    path = tmp_path / "ada.safetensors"
    save_file({"a": torch.ones(2)}, path, {"facet.character": "Ada", "ss_base_model_version": "x"})
    read = read_lora_file(path)
    assert (read.name, read.character, read.family) == ("ada", "Ada", "x")
    assert torch.equal(read.weights["a"], torch.ones(2))


def test_the_loras_own_word_wins_and_the_difference_is_said():
    told = lora(**{"modelspec.trigger_phrase": "abc"})
    calls, note = agreed(character(), told)
    assert calls == Calls("abc", "person")
    assert "'abc'" in note and "'zqx'" in note
    assert agreed(character(), None) == (Calls("zqx", "person"), "")
    assert agreed(None, told) == (Calls("abc"), "")
    assert agreed(None, lora()) == (Calls(), "")


def test_one_of_two_characters_is_found_in_the_file():
    told = lora(**{"modelspec.trigger_phrase": "zqa person, zqx person"})
    assert agreed(character("zqx"), told) == (Calls("zqx", "person"), "")


def test_an_empty_phrase_calls_nobody():
    assert called("  ") == Calls()
