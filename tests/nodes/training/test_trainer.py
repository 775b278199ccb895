"""The trainer node, as ComfyUI runs it: in inference mode, between core's own nodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from comfy.model_management import interrupt_current_processing

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.training.run_record import TrainingRun
from facet.nodes.training.page import TRAININGS
from harness.executor import Executor, Interrupted, InvalidPrompt, NodeError, Prompt
from harness.given import given_node, loras_folder
from harness.prompts import node
from harness.small_models import SmallModels, small_models
from harness.studios import studio_of
from harness.text_models import language_model

OPTIONS = "FacetTrainingOptions"
WIDGETS = {
    "run_name": "run",
    "steps": 3,
    "rank": 2,
    "learning_rate": 1e-2,
    "batch_size": 2,
    "seed": 1,
    "checkpoint_every": 2,
    "gradient_checkpointing": False,
    "resolution": 0,
    "schedule": "cosine",
    "precision": "fp32",
    "subject": "synthetic character",
}


def character(caption: str = "zqx person, picture {}") -> Character:
    def shot(number: int) -> Shot:
        image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(number))
        return Shot(image, Provenance("generated"), caption=caption.format(number))

    return Character("Ada", "zqx", "person", shot(0), (shot(1), shot(2)))


@pytest.fixture
def given(
    comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, Any]]:
    """A node that hands the models and the character of this test into the graph."""
    values: dict[str, Any] = {"character": character()}
    loaded: list[SmallModels] = []

    def make() -> list[Any]:
        # Loaded inside a node, so in inference mode.
        if not loaded:
            loaded.append(small_models())
        (models,) = loaded
        models = replace(models, clip=values.get("clip", models.clip))
        return [studio_of(models), values["character"], models.model]

    given_node(monkeypatch, ("FACET_STUDIO", "FACET_CHARACTER", "MODEL"), make)
    loras_folder(monkeypatch, tmp_path / "loras")
    yield values


def training(**inputs: Any) -> Prompt:
    links = {"studio": ["given", 0], "character": ["given", 1]}
    return {
        "given": node("Given"),
        "train": node("FacetLoraTrainer", **(links | WIDGETS | inputs)),
    }


def loading() -> Prompt:
    """Core's loader of the LoRA that comes out, and what shows that it loads."""
    lora = {"lora": ["train", 0], "strength_model": 1.0, "bypass": False}
    return {
        "load": node("LoraModelLoader", model=["given", 2], **lora),
        "model": node("PreviewAny", source=["load", 0]),
    }


def test_a_character_becomes_a_lora_that_core_lists_and_loads(
    comfy: Executor, given: dict[str, Any], tmp_path: Path
) -> None:
    graph = node("LossGraphNode", loss=["train", 1], filename_prefix="loss")
    result = comfy.run(training() | loading() | {"graph": graph})
    run: TrainingRun = result.value("train", 2)
    path = Path(result.value("train", 3))
    assert len(result.value("load").patches) == 12
    assert len(result.value("train", 1)["loss"]) == 3
    assert path == (tmp_path / "loras" / "facet" / "Ada" / "run.safetensors").resolve()
    assert "facet/Ada/run.safetensors" in [
        name.replace("\\", "/") for name in folder_paths.get_filename_list("loras")
    ]
    assert run.folder == (comfy.output / "facet" / "Ada" / "training" / "run").resolve()
    assert [point.step for point in run.checkpoints] == [2, 3]
    assert all(point.path.is_file() for point in run.checkpoints)
    (text,) = result.ui["train"]["text"]
    assert "run: 3 steps, loss" in text and str(path) in text


def test_the_dataset_is_linted_before_the_first_step(
    comfy: Executor, given: dict[str, Any]
) -> None:
    who = given["character"]
    said = "The image shows a zqx person with red hair"
    given["character"] = replace(who, source=replace(who.source, caption=said))
    (text,) = comfy.run(training()).ui["train"]["text"]
    (view,) = [one for one in TRAININGS.of("") if one.node == "train"]
    lint = view.as_json()["lint"]
    assert f"Dataset {lint['number']} of 100, {lint['count']} findings." in text
    shown = " ".join(finding["says"] for finding in lint["findings"])
    assert "'The image shows'" in shown and "'red hair'" in shown
    # It is told once, and not again with each step.
    assert "lint" not in view.as_json(after=1)


def test_the_second_time_nothing_is_trained(comfy: Executor, given: dict[str, Any]) -> None:
    comfy.run(training())
    assert "train" in comfy.run(training()).cached


def test_captions_without_the_trigger_are_counted(comfy: Executor, given: dict[str, Any]) -> None:
    given["character"] = character("a person, picture {}").captioned(
        {character().source.hash: "zqx person"}
    )
    with pytest.raises(NodeError) as error:
        comfy.run(training())
    assert str(error.value).endswith(
        "Facet LoRA Trainer: 2 of 3 captions lack the trigger 'zqx'. "
        "Run the Caption Writer or add it."
    )


@pytest.mark.parametrize("name", ["../outside", "", "/tmp/outside"])
def test_a_run_name_that_leads_elsewhere_is_refused(
    comfy: Executor, given: dict[str, Any], name: str
) -> None:
    with pytest.raises(NodeError, match=r"Facet LoRA Trainer: .*name"):
        comfy.run(training(run_name=name))


def test_pictures_of_weight_zero_are_left_out(comfy: Executor, given: dict[str, Any]) -> None:
    who = character()
    none = tuple(replace(shot, weight=0.0) for shot in who.shots)
    given["character"] = replace(who, source=replace(who.source, weight=0.0), shots=none)
    with pytest.raises(NodeError, match="Facet LoRA Trainer: Ada has no image to train on"):
        comfy.run(training())


def test_a_cancel_keeps_what_is_done_and_the_next_queue_goes_on(
    comfy: Executor, given: dict[str, Any]
) -> None:
    folder = comfy.output / "facet" / "Ada" / "training" / "run"

    def cancel_once_a_checkpoint_is_there() -> None:
        deadline = time.monotonic() + 120
        while not list(folder.glob("run_*.safetensors")) and time.monotonic() < deadline:
            time.sleep(0.005)
        interrupt_current_processing()

    thread = threading.Thread(target=cancel_once_a_checkpoint_is_there)
    thread.start()
    with pytest.raises(Interrupted):
        comfy.run(training(steps=5000))
    thread.join()
    kept = sorted(folder.glob("run_*.safetensors"))
    assert kept and (folder / "state.safetensors").is_file()
    done = int(kept[-1].stem.rsplit("_", 1)[1])
    result = comfy.run(training(steps=done + 1))
    assert "resumes from step" in result.ui["train"]["text"][0]
    assert len(result.value("train", 1)["loss"]) == done + 1
    assert not list(comfy.output.rglob("*.part"))


def test_options_left_as_they_are_say_nothing(comfy: Executor) -> None:
    prompt = {"options": node(OPTIONS), "shown": node("PreviewAny", source=["options", 0])}
    assert comfy.run(prompt).value("options") == {}


@pytest.mark.parametrize("adapter", ["DoRA", "LoKr"])
def test_the_options_reach_the_training_and_its_file(
    comfy: Executor, given: dict[str, Any], adapter: str
) -> None:
    prompt = training(steps=0, options=["options", 0], resolution=64) | {
        "options": node(
            OPTIONS, memory="8 GB", adapter=adapter, optimizer="Adafactor", repeats=1, epochs=2
        ),
    }
    result = comfy.run(prompt | loading())
    run: TrainingRun = result.value("train", 2)
    assert len(run.losses) == 3 * 2 / 2
    wanted = {
        "adapter": adapter,
        "optimizer": "Adafactor",
        "base": "fp8",
        "gradient_checkpointing": True,
        "vram": 8.0,
        "resolution": 64,
        "rank": 2,
    }
    assert {name: run.settings[name] for name in wanted} == wanted
    assert len(result.value("load").patches) == 12


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"generated_from": 1.0}, "generated_from is 1 and generated_to 1; give a lower number"),
        ({"repeats": 10}, "repeats is 10 and epochs 0; give both"),
        ({"resolutions": "big"}, "resolutions names 'big'; give sides in pixels"),
    ],
)
def test_options_that_cannot_work_are_told_by_their_node(
    comfy: Executor, wrong: dict[str, Any], said: str
) -> None:
    shown = node("PreviewAny", source=["options", 0])
    with pytest.raises(NodeError, match=f"Facet Training Options: {said}"):
        comfy.run({"options": node(OPTIONS, **wrong), "shown": shown})


def test_layers_that_do_not_exist_are_told_with_an_example(
    comfy: Executor, given: dict[str, Any]
) -> None:
    prompt = training(options=["options", 0]) | {
        "options": node(OPTIONS, target_pattern="blocks.*")
    }
    with pytest.raises(NodeError, match=r"'blocks.\*', which matches no layer of Flux; .*double_"):
        comfy.run(prompt)


def test_a_lora_of_the_list_is_gone_on_from(comfy: Executor, given: dict[str, Any]) -> None:
    first = Path(comfy.run(training()).value("train", 3))
    before = read_weights(first)
    listed = f"facet/{first.parent.name}/{first.name}"
    # So slowly that nothing moves: what comes out is what was put in.
    again = training(run_name="again", learning_rate=1e-6, steps=1, options=["options", 0])
    result = comfy.run(again | {"options": node(OPTIONS, continue_from=listed)})
    after = result.value("train")
    assert result.value("train", 2).settings["continue_from"] == listed
    assert after.keys() == before.keys()
    assert all(torch.allclose(after[key], before[key], atol=1e-5) for key in before)
    assert any(bool(value.any()) for key, value in before.items() if "lora_up" in key)


def test_a_lora_that_is_not_listed_is_refused_before_anything_runs(
    comfy: Executor, given: dict[str, Any]
) -> None:
    prompt = training(options=["options", 0]) | {"options": node(OPTIONS, continue_from="../x.pt")}
    with pytest.raises(InvalidPrompt, match=r"continue_from"):
        comfy.run(prompt)


def test_a_model_of_which_no_text_encoder_can_be_trained_is_told(
    comfy: Executor, given: dict[str, Any]
) -> None:
    given["clip"] = language_model()
    prompt = training(options=["options", 0]) | {"options": node(OPTIONS, text_encoder=True)}
    with pytest.raises(NodeError) as error:
        comfy.run(prompt)
    assert str(error.value) == (
        "Facet LoRA Trainer: text_encoder is on, and the text encoder of Flux (qwen3_4b) cannot be "
        "trained: only CLIP-L, CLIP-G and CLIP-H can. Turn text_encoder off."
    )
