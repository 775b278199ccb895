"""LoRAs: what a file says of itself, whether it fits a model, and how it is put on one."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from facet.engine.comfyui.lora import (
    Calls,
    LoraFile,
    agreed,
    called,
    read_lora,
    read_weights,
    with_lora,
)
from facet.engine.core.character import Character, Provenance, Shot
from harness.small_models import SmallModels, small_models

QKV = "lora_unet_double_blocks_0_img_attn_qkv"


@pytest.fixture(scope="module")
def models() -> SmallModels:
    return small_models()


def weights(name: str = QKV, rows: int = 384, columns: int = 128) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"{name}.lora_up.weight": torch.randn(rows, 4, generator=generator),
        f"{name}.lora_down.weight": torch.randn(4, columns, generator=generator),
        f"{name}.alpha": torch.tensor(4.0),
    }


def test_the_lora_lands_on_a_clone_and_the_model_is_left_alone(models):
    patched, _ = with_lora(models.model, models.clip, weights(), 0.5)
    assert len(patched.patches) == 1 and not models.model.patches


def test_a_lora_for_the_text_encoder_lands_there(models):
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    patched, clip = with_lora(
        models.model, models.clip, {**weights(), **weights(name, 32, 32)}, 1.0
    )
    assert len(patched.patches) == 1 and len(clip.patcher.patches) == 1


@pytest.mark.parametrize(
    ("strange", "sentence"),
    [
        (weights("lora_unet_double_blocks_7_img_attn_qkv"), "do not belong to this model"),
        (weights(rows=96), "another shape"),
        (weights(columns=64), "another shape"),
        ({}, "do not belong"),
    ],
)
def test_a_lora_of_another_model_is_an_error_and_not_a_warning(models, strange, sentence):
    with pytest.raises(ValueError, match=sentence):
        with_lora(models.model, models.clip, strange, 1.0)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_and_metadata_come_out(tmp_path: Path, suffix: str):
    path = tmp_path / f"ada{suffix}"
    if suffix == ".pt":
        torch.save({"a": torch.ones(2), "epoch": 3}, path)
    else:
        save_file({"a": torch.ones(2)}, path, {"facet.character": "Ada"})
    lora = read_lora(path)
    assert list(lora.weights) == list(read_weights(path)) == ["a"]
    assert torch.equal(lora.weights["a"], torch.ones(2))
    assert lora.metadata == ({} if suffix == ".pt" else {"facet.character": "Ada"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.safetensors", b""),
        ("b.safetensors", b"\xff" * 100),
        ("c.safetensors", (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[4],"data'),
        ("d.pt", b"no pickle at all"),
        ("e.safetensors", (2).to_bytes(8, "little") + b"{}"),
        ("f.safetensors", b"junk" * 100),
        ("g.safetensors", (2**40).to_bytes(8, "little")),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    sentence = rf"^{name} (cannot be read|holds no weights).*choose (another|a LoRA)\.$"
    with pytest.raises(ValueError, match=sentence):
        read_lora(tmp_path / name)


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^gone.safetensors cannot be read"):
        read_weights(tmp_path / "gone.safetensors")


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
    read = read_lora(path)
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
