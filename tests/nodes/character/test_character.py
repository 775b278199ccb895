"""The character and converter nodes, run by ComfyUI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.executor import Executor, InvalidPrompt, NodeError, Prompt
from harness.prompts import node


def write_picture(
    folder: Path, name: str, mode: str = "RGB", size: tuple[int, int] = (40, 56)
) -> str:
    pixels = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(folder / name)
    return name


def begin(image: str, **inputs: object) -> Prompt:
    who = {"name": "Ada", "trigger": "zqx", "class_word": "person"}
    return {
        "image": node("LoadImage", image=image),
        "character": node("FacetCharacter", image=["image", 0], **(who | inputs)),
        "out": node("FacetShotsToImages", character=["character", 0]),
        "show": node("PreviewImage", images=["out", 0]),
    }


@pytest.mark.parametrize(("mode", "name"), [("RGB", "a.png"), ("L", "b.png"), ("RGB", "c.jpg")])
def test_the_picture_goes_in_and_comes_out_the_same(comfy: Executor, mode: str, name: str) -> None:
    prompt = begin(write_picture(comfy.input, name, mode))
    result = comfy.run(prompt)
    [picture] = result.list("out")
    loaded = result.value("image").expand(*picture.shape).to(picture)
    torch.testing.assert_close(picture, loaded, atol=0.5 / 255, rtol=0)


def test_transparency_is_laid_over_white(comfy: Executor) -> None:
    from facet.engine.vision.colours import to_rgb

    pixels = torch.tensor([[[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.5], [0.2, 0.4, 0.6, 1.0]]])
    expected = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 0.5, 0.5], [0.2, 0.4, 0.6]]])
    torch.testing.assert_close(to_rgb(pixels), expected)


@pytest.mark.parametrize("size", [(8, 8), (6000, 20)])
def test_tiny_and_huge_pictures_are_taken(comfy: Executor, size: tuple[int, int]) -> None:
    prompt = begin(write_picture(comfy.input, "p.png", size=size))
    [picture] = comfy.run(prompt).list("out")
    assert picture.shape == (1, size[1], size[0], 3)


def test_the_mask_stays_with_its_picture(comfy: Executor) -> None:
    prompt = begin(write_picture(comfy.input, "p.png"))
    prompt["mask"] = node("SolidMask", value=0.25, width=40, height=56)
    prompt["character"]["inputs"]["mask"] = ["mask", 0]
    [mask] = comfy.run(prompt).list("out", 2)
    assert mask.shape == (1, 56, 40)
    # A mask is held in the 16 bits that its file has.
    assert torch.equal(mask, torch.full_like(mask, round(0.25 * 65535) / 65535))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"trigger": ""}, "Facet Character: The trigger is empty"),
        ({"trigger": "my girl"}, "Facet Character: The trigger 'my girl' has spaces"),
        ({"class_word": " "}, "Facet Character: The class word is empty"),
        ({"name": "///"}, "Facet Character: The name '///' has no letter"),
    ],
)
def test_words_that_cannot_work_are_refused_in_a_sentence(
    comfy: Executor, inputs: dict[str, object], message: str
) -> None:
    with pytest.raises(NodeError, match=message):
        comfy.run(begin(write_picture(comfy.input, "p.png"), **inputs))


def test_a_corrupt_picture_is_refused_before_anything_is_made(comfy: Executor) -> None:
    (comfy.input / "broken.png").write_bytes(b"\x89PNG no more")
    with pytest.raises((NodeError, InvalidPrompt)):
        comfy.run(begin("broken.png"))
    assert not list(comfy.output.iterdir())


def test_several_pictures_are_refused(comfy: Executor) -> None:
    prompt = begin(write_picture(comfy.input, "p.png"))
    prompt["batch"] = node("RepeatImageBatch", image=["image", 0], amount=3)
    prompt["character"]["inputs"]["image"] = ["batch", 0]
    with pytest.raises(NodeError, match="3 images are connected; give one"):
        comfy.run(prompt)


def test_pictures_from_other_nodes_come_back_as_shots(comfy: Executor) -> None:
    prompt = begin(write_picture(comfy.input, "p.png"))
    prompt["flip"] = node("ImageInvert", image=["image", 0])
    prompt["add"] = node("FacetImagesToShots", character=["character", 0], images=["flip", 0])
    prompt["out"]["inputs"]["character"] = ["add", 0]
    first, second = comfy.run(prompt).list("out")
    torch.testing.assert_close(second, 1 - first)


def test_captions_that_do_not_match_their_pictures_are_refused(comfy: Executor) -> None:
    from facet.engine.core.character import Character, Provenance, Shot
    from facet.nodes.character.character import FacetImagesToShots

    ada = Character("Ada", "zqx", "person", Shot(torch.zeros(8, 8, 3), Provenance("original")))
    with pytest.raises(ValueError, match="2 images came with 1 captions"):
        FacetImagesToShots.execute([ada], [torch.rand(2, 8, 8, 3)], ["zqx person"])
