"""The workflow for a folder of pictures and Flux dev: as the page sees it, and run to its end."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from safetensors import safe_open

from facet.launcher import workflow
from facet.launcher.places import ROOT
from harness.browser import Pages
from harness.comfy_server import ComfyServer, Run
from harness.graphs import (
    changed,
    check_apart,
    check_in_page,
    check_models,
    check_offers,
    check_size,
    check_thumbnail,
    models_of,
)
from harness.narrow_server import write_picture

FILE = ROOT / "workflows" / "02_train_from_folder.json"
PICTURES = "two_pictures"
# All that is changed, so that one core has soon done. "balanced" would end with samples, at twenty
# steps of the sampler each.
FEW = {
    "FacetLoraTrainer": {"steps": 2, "rank": 2, "checkpoint_every": 1},
    "FacetTrainingOptions": {"quality": "custom", "resolutions": "64"},
    "FacetDatasetLoader": {"folder": PICTURES},
}


@pytest.fixture(scope="module")
def saved() -> dict[str, Any]:
    return workflow.load(FILE)


@pytest.fixture(scope="module")
def prompt(saved: dict[str, Any], narrow_server: ComfyServer) -> dict[str, Any]:
    return workflow.to_prompt(saved, narrow_server.client.get("/object_info"))


@pytest.fixture(scope="module")
def run(prompt: dict[str, Any], narrow_server: ComfyServer) -> Run:
    """The workflow over HTTP, with few steps, on two pictures of which one has a caption."""
    pictures = narrow_server.input / PICTURES
    for number in range(2):
        write_picture(number, pictures / f"{number}.png")
    (pictures / "0.txt").write_text("zqx person, front view")
    return narrow_server.run(changed(prompt, FEW))


def test_it_is_small_enough_to_understand(saved: dict[str, Any]) -> None:
    check_size(saved, nodes=13, groups=range(3, 20))


def test_every_loader_says_where_its_models_are(saved: dict[str, Any]) -> None:
    check_models(saved)


@pytest.mark.slow
def test_it_trains_flux_from_the_folder(run: Run, narrow_server: ComfyServer) -> None:
    assert run.status == "success", run.error
    loras = narrow_server.server.base / "models" / "loras" / "facet"
    # Whoever else is called so in this ComfyUI has a folder of its own.
    [lora] = loras.glob("My_character*/flux_dev.safetensors")
    with safe_open(lora, "pt") as file:
        keys, metadata = set(file.keys()), file.metadata()
    assert "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight" in keys
    assert "lora_unet_single_blocks_0_linear1.lora_down.weight" in keys
    assert metadata["ss_steps"] == "2"
    assert "zqx" in metadata["modelspec.trigger_phrase"]


@pytest.mark.slow
def test_it_leaves_checkpoints_and_curves(run: Run, narrow_server: ComfyServer) -> None:
    [folder] = narrow_server.output.glob("facet/My_character*/training/flux_dev")
    assert len(list(folder.rglob("*.safetensors"))) >= 2
    assert (folder / "losses.png").is_file()
    with (folder / "losses.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


@pytest.mark.slow
@pytest.mark.browser
def test_with_its_models_it_loads_without_a_word_and_means_the_same_in_the_page(
    narrow_pages: Pages, saved: dict[str, Any], prompt: dict[str, Any]
) -> None:
    page = narrow_pages.cleared(vue=False)
    check_in_page(page, saved, prompt)
    check_apart(page)


@pytest.mark.browser
def test_without_them_the_page_offers_each_model_and_nothing_else(
    pages: Pages, saved: dict[str, Any]
) -> None:
    page = pages.cleared(vue=True)
    check_offers(page, saved)
    check_apart(page)
    assert len(models_of(saved)) == 5


def test_the_thumbnail_is_a_picture_that_the_page_shows() -> None:
    check_thumbnail(FILE)
