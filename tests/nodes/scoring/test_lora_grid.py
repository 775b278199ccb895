"""The LoRA grid, run by ComfyUI's own executor with the demo's models."""

from __future__ import annotations

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from safetensors.torch import save_file

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.world.captions import tags_of
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene
from harness.executor import Executor, NodeError, Prompt
from harness.given import given_node, loras_folder
from harness.prompts import node
from harness.studios import studio_of

QKV = "lora_unet_double_blocks_0_img_attn_qkv"


def weights(scale: float) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"{QKV}.lora_up.weight": scale * torch.randn(768, 4, generator=generator),
        f"{QKV}.lora_down.weight": torch.randn(4, 256, generator=generator),
    }


def true_character() -> Character:
    person, rng = Identity.from_seed(FIRST), random.Random(1)
    shots = []
    for _ in range(4):
        scene = Scene.sample(rng, view="front", lighting="natural")
        image = torch.from_numpy(render(person, scene, 128).image.copy()).to(torch.float32) / 255
        shots.append(Shot(image, Provenance("imported"), tags=tags_of(scene)))
    return Character(
        "Ada", "zqx", "person", Shot(demo_picture(0), Provenance("original")), tuple(shots)
    )


@pytest.fixture
def prompt(
    comfy: Executor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_models: DemoModels
) -> Prompt:
    def make() -> list[Any]:
        studio = studio_of(demo_models, side=128, steps=4)
        return [studio, demo_models.judge(), true_character()]

    given_node(monkeypatch, ("FACET_STUDIO", "FACET_JUDGE", "FACET_CHARACTER"), make)
    (tmp_path / "loras").mkdir()
    for name, scale in (("small", 1e-3), ("large", 0.3)):
        save_file(weights(scale), tmp_path / "loras" / f"{name}.safetensors")
    loras_folder(monkeypatch, tmp_path / "loras")
    links = {"studio": ["1", 0], "judge": ["1", 1], "character": ["1", 2]}
    widgets = {
        "prompts": "front view\nleft profile",
        "strengths": "1.0",
        "loras": "small.safetensors\nlarge.safetensors",
        "seed": 3,
    }
    return {
        "1": node("Given"),
        "2": node("FacetLoraGrid", **links, **widgets),
        "3": node("PreviewImage", images=["2", 2]),
    }


def pictures(comfy: Executor) -> dict[str, int]:
    folder = Path(folder_paths.get_output_directory()) / "facet" / "Ada" / "report" / "pictures"
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def test_rows_are_made_once_and_scored_and_a_new_strength_makes_its_own_row_only(
    comfy: Executor, prompt: Prompt
):
    first = comfy.run(prompt)
    images, card = first.value("2", 2), first.value("2", 1)
    assert images.shape == (6, 128, 128, 3)
    assert [one.label for one in card.tried] == [
        "small at strength 1",
        "large at strength 1",
    ]
    off, small, large = images[0:2], images[2:4], images[4:6]
    assert (off - small).abs().mean() < (off - large).abs().mean()
    assert card.off.identity.value < 0.2
    made = pictures(comfy)
    assert len(made) == 6

    prompt["2"]["inputs"]["strengths"] = "1.0, 0.5"
    second = comfy.run(prompt)
    assert second.value("2", 2).shape[0] == 10
    after = pictures(comfy)
    assert len(after) == 10
    assert {name: when for name, when in after.items() if name in made} == made
    assert torch.equal(second.value("2", 2)[:2], off)


def test_a_lora_that_is_replaced_under_its_name_is_made_anew_and_no_other(
    comfy: Executor, prompt: Prompt, tmp_path: Path
):
    # ComfyUI writes into what it is given, and gets every prompt anew from the page.
    before = comfy.run(deepcopy(prompt)).value("2", 2)
    made = len(pictures(comfy))
    save_file(weights(0.1), tmp_path / "loras" / "large.safetensors")
    after = comfy.run(deepcopy(prompt)).value("2", 2)
    assert torch.equal(after[:4], before[:4])
    assert not torch.equal(after[4:], before[4:])
    assert len(pictures(comfy)) == made + 2


@pytest.mark.parametrize("lacking", [("character", "judge"), ("judge",)])
def test_without_anything_to_score_with_there_is_a_grid_all_the_same(
    comfy: Executor, prompt: Prompt, lacking: tuple[str, ...]
):
    for name in lacking:
        del prompt["2"]["inputs"][name]
    prompt["2"]["inputs"] |= {"loras": "small.safetensors", "prompts": "zqx person, front view"}
    result = comfy.run(prompt)
    assert result.value("2", 2).shape == (2, 128, 128, 3)
    assert result.value("2", 0).shape[2] > 400
    score = result.value("2", 1)
    assert isinstance(score, ExecutionBlocker)
    assert "Nothing was scored; connect a character, and a judge" in score.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loras": ""}, "There is no LoRA to compare"),
        ({"loras": "../secret.safetensors"}, "There is no LoRA '../secret.safetensors'"),
        ({"loras": "facet/../../x.safetensors"}, "lies outside of"),
        ({"strengths": "strong"}, "The strength 'strong' cannot be used"),
        ({"prompts": " \n"}, "There is no prompt"),
        ({"strengths": ",".join(str(n / 10) for n in range(1, 60))}, "100 is the most"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(comfy: Executor, prompt: Prompt, changes, said):
    prompt["2"]["inputs"] |= changes
    with pytest.raises(NodeError, match=r"^Facet LoRA Grid: ") as error:
        comfy.run(prompt)
    assert said in str(error.value)
