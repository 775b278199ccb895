"""Facet Studio: what is set on it reaches the images of other nodes, and what cannot be is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.families.modes import ReferenceMode
from facet.engine.studio.studio import Studio
from facet.nodes.studio.studio import FacetStudio
from harness.edit_models import edit_models
from harness.executor import Executor, NodeError, Prompt
from harness.families import FAMILIES, load_family
from harness.given import given_node
from harness.prompts import demo_prompt, node, studio_node
from harness.small_models import small_flux


def graph(**settings: Any) -> Prompt:
    """A shot in the demo's models, and what may be connected to their studio."""
    schedule = {"model": ["models", 2], "scheduler": "simple", "steps": 2, "denoise": 1.0}
    line = "close-up, front view"
    return demo_prompt(
        plan=node("FacetShotPlan", preset="own lines only", lines=line),
        sampler=node("KSamplerSelect", sampler_name="heun"),
        sigmas=node("BasicScheduler", **schedule),
        more=node("LoadImage", image="more.png"),
        studio=studio_node(**{"steps": 2, "width": 128, "height": 128, **settings}),
        shots=node(
            "FacetShotGenerator",
            character=["character", 0],
            plan=["plan", 0],
            studio=["studio", 0],
            seed=1,
        ),
    )


@pytest.fixture
def with_picture(comfy: Executor) -> Executor:
    """ComfyUI with a small grey picture to load."""
    pixels = np.random.default_rng(0).integers(0, 255, (20, 31), np.uint8)
    Image.fromarray(pixels, "L").save(comfy.input / "more.png")
    return comfy


def made(model: Any, **settings: Any) -> Studio:
    """What the node gives with its widgets as they come, but for ``settings``."""
    given = node("FacetStudio", model=model, clip=object(), vae=object())["inputs"] | settings
    (studio,) = FacetStudio.execute(**given).args
    assert isinstance(studio, Studio)
    return studio


def test_everything_of_ones_own_reaches_the_shot(with_picture: Executor) -> None:
    plain = with_picture.run(graph()).value("shots")
    own = graph(
        steps=9,
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
    ("changes", "by", "sentence"),
    [
        ({"reference_mode": "qwen_edit"}, "Studio", "Flux model is no Qwen-Image-Edit; set refer"),
        ({"reference_mode": "patched_model"}, "Studio", "The MODEL carries no patch, so nothing"),
        ({"reference_mode": "trained_lora"}, "Studio", "The MODEL carries no LoRA, so it does not"),
        ({"width": 50}, "Studio", "both sides have to be multiples of 16"),
        # Only what shows a model the original asks how.
        ({"reference_mode": "auto"}, "Shot Generator", "A Flux model may or may not take refer"),
        (
            {"reference_mode": "img2img", "references": ["more", 0]},
            "Shot Generator",
            "The mode 'img2img' takes no further references; disconnect them",
        ),
    ],
)
def test_what_does_not_fit_is_said_by_the_node(
    with_picture: Executor, changes: dict[str, Any], by: str, sentence: str
) -> None:
    with pytest.raises(NodeError) as error:
        with_picture.run(graph(**changes))
    assert str(error.value).startswith(f"Facet {by}: ")
    assert sentence in str(error.value)


def test_auto_with_sdxl_is_asked_by_the_node_that_shoots(
    comfy: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = edit_models("SDXL")
    made_of = [models.model, models.clip, models.vae]
    given_node(monkeypatch, ("MODEL", "CLIP", "VAE"), lambda: made_of)
    shown = {"character": ["character", 0], "studio": ["studio", 0]}
    prompt = demo_prompt(
        given=node("Given"),
        studio=studio_node("given", 0, reference_mode="auto"),
        shots=node("FacetTurnaroundSheet", **shown),
    )
    sentence = "Facet Turnaround Sheet: A SDXL model takes no reference images by itself; set r"
    with pytest.raises(NodeError, match=sentence):
        comfy.run(prompt)


@pytest.mark.parametrize(
    ("family", "cfg", "scheduler"),
    [("Flux", 1.0, "simple"), ("Z-Image", 3.0, "simple"), ("SDXL", 6.0, "normal")],
)
def test_what_is_left_open_is_what_is_usual_for_the_family(
    family: str, cfg: float, scheduler: str
) -> None:
    model = load_family(FAMILIES[family], narrow=True)
    usual = made(model).sampling
    assert (usual.steps, usual.cfg, usual.scheduler) == (20, cfg, scheduler)
    assert (usual.sampler_name, usual.guidance, usual.width, usual.height) == ("euler", None, 0, 0)
    asked = {"steps": 7, "cfg": 1.5, "scheduler": "karras", "guidance": 2.5}
    own = made(model, **asked).sampling
    assert {name: getattr(own, name) for name in asked} == asked


def test_an_untouched_studio_leaves_the_mode_open_and_has_nothing_of_ones_own() -> None:
    model = small_flux()
    studio = made(model, negative=" a hat\n")
    assert studio.model is model and studio.mode is ReferenceMode.AUTO
    assert (studio.negative, studio.references, studio.custom) == ("a hat", (), None)
    assert studio.style == "auto" and not studio.strengthen_likeness


def test_references_become_pictures_in_colour() -> None:
    batch = torch.rand(2, 8, 12, 4, generator=torch.Generator().manual_seed(0))
    studio = made(small_flux(), references=batch)
    assert [tuple(one.shape) for one in studio.references] == [(8, 12, 3)] * 2
    opaque = torch.cat((batch[..., :3], torch.ones(2, 8, 12, 1)), -1)
    assert torch.equal(made(small_flux(), references=opaque).references[1], batch[1, ..., :3])


def test_a_sampler_or_sigmas_of_ones_own_say_how_many_steps() -> None:
    model, sigmas = small_flux(), torch.linspace(1, 0, 4)
    assert made(model, sampler=object(), steps=7).steps == 7
    assert made(model, sigmas=sigmas, steps=7).steps == 3


def test_the_demo_gives_the_studio_that_suits_its_models(comfy: Executor) -> None:
    prompt = demo_prompt(shown=node("PreviewAny", source=["models", 0]))
    given = comfy.run(prompt)
    studio, judge = given.value("models", 0), given.value("models", 1)
    outputs = [given.value("models", number) for number in range(2, 8)]
    assert [studio.model, studio.clip, studio.vae] == outputs[:3]
    assert [judge.clip_vision, judge.face_model, judge.background] == outputs[3:]
    assert studio.mode is ReferenceMode.REFERENCE_LATENTS and studio.strengthen_likeness
    assert (studio.sampling.steps, studio.sampling.cfg) == (20, 3.0)
