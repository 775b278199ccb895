"""The demo's background-removal model finds people, and core's own node takes it as it is."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from facet.engine.demo import models as demo
from facet.engine.demo.people import demo_picture
from facet.engine.demo.person import TOGETHER, DemoBackgroundModel
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import Picture, render
from facet.world.scene import PLACES, VIEWS, Scene

if TYPE_CHECKING:
    from harness.executor import Executor
from harness.prompts import demo_prompt, node

PEOPLE = [Identity.from_seed(HELD_OUT_FROM + i) for i in range(12)]
NEEDED = {"close_up": 0.95, "medium": 0.95, "full": 0.9}


@pytest.fixture(scope="module")
def background() -> DemoBackgroundModel:
    return demo.load_background()


def seen(size: int = 128, **fixed: str) -> list[Picture]:
    """Everybody once, in a scene of their own apart from what is fixed."""
    return [
        render(person, Scene.sample(random.Random(f"cut {person.seed}"), **fixed), size)
        for person in PEOPLE
    ]


def tensors(pictures: list[Picture]) -> tuple[Tensor, Tensor]:
    image = torch.from_numpy(np.stack([p.image for p in pictures])).float() / 255
    return image, torch.from_numpy(np.stack([p.mask for p in pictures]))


def overlap(mask: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of masks (B, H, W)."""
    found = mask > 0.5
    return (found & truth).sum((1, 2)) / (found | truth).sum((1, 2))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("framing", NEEDED)
def test_people_are_cut_out_in_every_view_and_framing(
    background: DemoBackgroundModel, framing: str, view: str
) -> None:
    image, truth = tensors(seen(framing=framing, view=view))
    mask = background.encode_image(image)
    assert mask.shape == truth.shape and mask.dtype == torch.float32
    assert mask.min() >= 0 and mask.max() <= 1
    assert overlap(mask, truth).mean() >= NEEDED[framing]


@pytest.mark.parametrize("place", PLACES)
def test_people_are_cut_out_of_every_place(background: DemoBackgroundModel, place: str) -> None:
    image, truth = tensors(seen(framing="medium", place=place))
    assert overlap(background.encode_image(image), truth).mean() >= 0.93


def test_what_the_autoencoder_draws_is_cut_out_as_well(background: DemoBackgroundModel) -> None:
    image, truth = tensors(seen()[:8])
    vae = demo.load_vae()
    again = vae.decode(vae.encode(image)).float()
    assert overlap(background.encode_image(again), truth).mean() >= 0.93


@pytest.mark.parametrize("size", [64, 200, 512])
def test_pictures_of_any_size(background: DemoBackgroundModel, size: int) -> None:
    image, truth = tensors(seen(size, framing="close_up")[:8])
    mask = background.encode_image(image)
    assert mask.shape == truth.shape
    assert overlap(mask, truth).mean() >= 0.93


@pytest.mark.parametrize(("rows", "columns"), [(256, 170), (150, 256), (256, 101)])
def test_pictures_of_any_shape(background: DemoBackgroundModel, rows: int, columns: int) -> None:
    image, truth = tensors(seen(256, framing="medium"))
    top, left = (256 - rows) // 2, (256 - columns) // 2
    part = (slice(None), slice(top, top + rows), slice(left, left + columns))
    mask = background.encode_image(image[part])
    assert mask.shape == (len(PEOPLE), rows, columns)
    assert overlap(mask, truth[part]).mean() >= 0.93


def test_both_of_two_people_are_cut_out(background: DemoBackgroundModel) -> None:
    image, truth = tensors(seen(framing="medium"))
    image, truth = (torch.cat([x, x.roll(1, 0)], 2) for x in (image, truth))
    assert overlap(background.encode_image(image), truth).mean() >= 0.9


def test_a_picture_has_the_same_mask_alone_and_in_a_batch(background: DemoBackgroundModel) -> None:
    image, _ = tensors([*seen(view="front"), *seen(view="back")])
    assert len(image) > TOGETHER
    together = background.encode_image(image)
    alone = torch.cat([background.encode_image(one[None]) for one in image])
    assert torch.allclose(together, alone, atol=1e-3)


def test_transparency_is_not_looked_at(background: DemoBackgroundModel) -> None:
    image, _ = tensors(seen()[:2])
    clear = torch.cat([image, torch.zeros_like(image[..., :1])], 3)
    assert torch.equal(background.encode_image(image), background.encode_image(clear))


def test_cores_node_cuts_a_demo_person_out(comfy: Executor) -> None:
    prompt = demo_prompt(
        cut=node("RemoveBackground", bg_removal_model=["models", 7], image=["picture", 0]),
        shown=node("MaskToImage", mask=["cut", 0]),
        saved=node("SaveImage", images=["shown", 0], filename_prefix="mask"),
    )
    result = comfy.run(prompt)
    mask = result.value("cut")
    assert torch.equal(mask, demo.load_background().encode_image(demo_picture(3)[None]))
    assert 0.2 < mask.mean() < 0.9
    [shown] = result.ui["saved"]["images"]
    with Image.open(comfy.output / shown["filename"]) as file:
        darkest, brightest = file.convert("L").getextrema()
        assert file.size == (128, 128) and darkest < 5 and brightest > 250


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"person\.safetensors is missing from"):
        demo.load_background(tmp_path)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "person.safetensors"
    shutil.copy(demo.WEIGHTS / "person.safetensors", damaged)
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with pytest.raises(RuntimeError, match=r"person\.safetensors in .* is damaged"):
        demo.load_background(tmp_path)
