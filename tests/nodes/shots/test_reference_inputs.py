"""References, samplers and words of one's own, through ComfyUI's graph with the demo models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.executor import Executor, NodeError


def graph(lines: str, **more: Any) -> dict[str, dict[str, Any]]:
    """A shot of each line, of the demo's picture."""
    return {
        "models": {"class_type": "FacetDemoModels", "inputs": {}},
        "picture": {"class_type": "FacetDemoPicture", "inputs": {"person": 3}},
        "character": {
            "class_type": "FacetCharacter",
            "inputs": {
                "image": ["picture", 0],
                "name": "Ada",
                "trigger": "zqx",
                "class_word": "person",
            },
        },
        "plan": {
            "class_type": "FacetShotPlan",
            "inputs": {"preset": "own lines only", "lines": lines},
        },
        "sampler": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "heun"}},
        "sigmas": {
            "class_type": "BasicScheduler",
            "inputs": {"model": ["models", 0], "scheduler": "simple", "steps": 2, "denoise": 1.0},
        },
        "more": {"class_type": "LoadImage", "inputs": {"image": "more.png"}},
        "shots": {
            "class_type": "FacetShotGenerator",
            "inputs": {
                "character": ["character", 0],
                "plan": ["plan", 0],
                "model": ["models", 0],
                "clip": ["models", 1],
                "vae": ["models", 2],
                "reference_mode": "reference_latents",
                "seed": 1,
                "steps": 9,
                "cfg": 1.0,
                "sampler_name": "euler",
                "scheduler": "simple",
                "guidance": 0.0,
                "width": 128,
                "height": 128,
                **more,
            },
        },
    }


@pytest.fixture
def with_picture(comfy: Executor) -> Executor:
    """ComfyUI with a small grey picture to load."""
    pixels = np.random.default_rng(0).integers(0, 255, (20, 31), np.uint8)
    Image.fromarray(pixels, "L").save(comfy.input / "more.png")
    return comfy


def test_everything_of_ones_own_reaches_the_shot(with_picture: Executor) -> None:
    plain = with_picture.run(graph("close-up, front view", steps=2)).value("shots")
    own = graph(
        "close-up, front view",
        sampler=["sampler", 0],
        sigmas=["sigmas", 0],
        references=["more", 0],
        prompt_style="sdxl",
    )
    character = with_picture.run(own).value("shots")
    [shot], [other] = character.shots, plain.shots
    assert other.provenance.prompt == "same character, close-up, front view"
    assert shot.provenance.prompt == "person, close-up, portrait, from front, looking at viewer"
    assert shot.provenance.negative.startswith("multiple people")
    assert shot.hash != other.hash
    again = with_picture.run(own).value("shots")
    assert again.shots[0].hash == shot.hash


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reference_mode": "qwen_edit"}, "Flux model is no Qwen-Image-Edit; set reference_mode"),
        ({"reference_mode": "patched_model"}, "The MODEL carries no patch, so nothing shows it"),
        ({"reference_mode": "auto"}, "A Flux model may or may not take reference images"),
        (
            {"reference_mode": "img2img", "references": ["more", 0]},
            "The mode 'img2img' takes no further references; disconnect them",
        ),
    ],
)
def test_what_does_not_fit_is_said_by_the_node(
    with_picture: Executor, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(NodeError) as error:
        with_picture.run(graph("close-up, front view", **changes))
    assert str(error.value).startswith("Facet Shot Generator: ")
    assert sentence in str(error.value)
