"""The workflows for models of one's own: as the page sees them, and run."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from facet.engine.families.dialects import names as dialects
from facet.engine.generate.shots.plan import from_lines
from facet.engine.generate.shots.presets import turnaround
from facet.launcher import workflow
from facet.launcher.places import ROOT
from harness.browser import Pages
from harness.comfy_server import ComfyServer, Run
from harness.graphs import (
    ONE_OF_EACH,
    changed,
    check_apart,
    check_in_page,
    check_models,
    check_offers,
    check_size,
    check_thumbnail,
    inputs_of,
)
from harness.narrow_server import SOMEBODYS_LORA

FOLDER = ROOT / "workflows"
LORA_KEYS = {
    "03_one_picture_to_lora_flux_kontext": "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight",
    "04_one_picture_to_lora_qwen_image_edit": (
        "diffusion_model.transformer_blocks.0.attn.to_q.lora_A.weight"
    ),
    "05_one_picture_to_lora_flux2_klein": (
        "diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight"
    ),
    "06_one_picture_to_lora_sdxl": (
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_up.weight"
    ),
    "07_one_picture_to_lora_sd15": (
        "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight"
    ),
}
"""A key of the LoRA that each workflow trains, as its family's files name it."""
FAMILIES = sorted(LORA_KEYS)
NEXT, TWO, USE = "08_next_version", "09_two_characters", "13_use_your_character"
ANY = "12_score_any_lora"
BASES = {
    "14_z_image": "diffusion_model.layers.0.attention.to_q.lora_A.weight",
    "15_krea2": "diffusion_model.blocks.0.attn.wq.lora_A.weight",
}
"""A key of the LoRA of each workflow that trains in one model and uses it in another."""
APPS = ["01_start_here", *FAMILIES[:3], USE]
NAMES = [*FAMILIES, NEXT, TWO, ANY, USE, *BASES]
LINE = "close-up, front view, smiling, plain grey background"
PINNED = json.dumps(
    {
        request.label: {"state": "pin"}
        for plan in (turnaround(background="plain grey background"), from_lines(LINE))
        for request in plan.requests
    }
)
# All that is changed, so that one core has soon done. Noise passes no gate, so every shot is
# pinned; the families' own words ask for a reference of a megapixel, which plain words do not.
FEW = {
    "FacetStudio": {"width": 64, "height": 64, "steps": 1, "prompt_style": "plain"},
    "FacetJudge": {"tries": 1},
    "FacetTurnaroundSheet": {"decisions": PINNED},
    "FacetShotPlan": {"preset": "own lines only", "lines": LINE},
    "FacetShotGenerator": {"decisions": PINNED},
    "FacetTwoCharacters": {"decisions": PINNED},
    "FacetTrainingOptions": {"quality": "custom", "memory": "as it is", "resolutions": "64"},
    "FacetLoraTrainer": {"steps": 2, "rank": 2, "batch_size": 1, "checkpoint_every": 1},
    "FacetIdentityScorer": ONE_OF_EACH | {"checkpoints": 1},
    "FacetLoraGrid": {"prompts": "front view\nleft profile", "strengths": "1.0"},
    # What nothing reaches, so that every picture takes both tries.
    "FacetCharacterShot": {"tries": 2, "min_likeness": 1.0},
}


@cache
def saved(name: str) -> dict[str, Any]:
    return workflow.load(FOLDER / f"{name}.json")


@pytest.fixture(scope="module")
def prompts(narrow_server: ComfyServer) -> dict[str, dict[str, Any]]:
    """Each workflow as the API takes it."""
    known = narrow_server.client.get("/object_info")
    return {name: workflow.to_prompt(saved(name), known) for name in NAMES}


@pytest.fixture(scope="module", params=FAMILIES)
def ran(
    request: pytest.FixtureRequest, prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> tuple[str, str, Run]:
    """A workflow over HTTP, with few steps: its name, its character's name, and the run."""
    few = changed(prompts[request.param], FEW)
    # All of them write to one output folder.
    character = f"character {request.param[:2]}"
    [node] = inputs_of(few, "FacetCharacter")
    node["name"] = character
    return request.param, character, narrow_server.run(few)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_enough_to_understand(name: str) -> None:
    check_size(saved(name), nodes=20, groups=range(5, 30))


@pytest.mark.parametrize("name", NAMES)
def test_every_loader_says_where_its_models_are(name: str) -> None:
    check_models(saved(name))


@pytest.mark.slow
def test_it_ends_with_shots_a_dataset_a_lora_and_a_report(
    ran: tuple[str, str, Run], narrow_server: ComfyServer
) -> None:
    name, character, run = ran
    assert run.status == "success", run.error
    folder = narrow_server.output / "facet" / character.replace(" ", "_")
    for file in ("sheet.png", "shots.png"):
        assert (folder / file).is_file(), file
    # The original, six views and one shot.
    assert len(list((folder / "dataset").rglob("*.txt"))) == 8
    assert list((folder / "report").glob("*.html"))
    loras = narrow_server.server.base / "models" / "loras" / "facet"
    [lora] = (loras / folder.name).glob("*.safetensors")
    with safe_open(lora, "pt") as file:
        assert LORA_KEYS[name] in set(file.keys())
        # The likest of the two checkpoints.
        assert file.metadata()["ss_steps"] in ("1", "2")


def trained(narrow_server: ComfyServer, name: str) -> dict[str, str]:
    """The metadata of the LoRA whose character and run begin so."""
    [lora] = (narrow_server.server.base / "models" / "loras" / "facet").glob(f"{name}*.safetensors")
    with safe_open(lora, "pt") as file:
        return dict(file.metadata())


@pytest.mark.slow
def test_the_next_version_is_trained_on_what_the_first_one_made(
    prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> None:
    few = changed(prompts[NEXT], FEW)
    [loader] = inputs_of(few, "FacetDatasetLoader")
    loader["name"] = "iterated"
    run = narrow_server.run(few)
    # Random models know no pictures, and the scorer says so rather than set a threshold.
    assert run.error.startswith("Facet Judge Options: The score sets no min_identity.")
    del inputs_of(few, "FacetJudgeOptions")[0]["score"]
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    first, second = (trained(narrow_server, f"iterated/v{number}") for number in (1, 2))
    pictures = [
        {one["hash"] for one in json.loads(told["facet.pictures"])} for told in (first, second)
    ]
    assert pictures[0] < pictures[1]
    assert (len(pictures[0]), len(pictures[1])) == (3, 4)
    exported = narrow_server.output / "facet" / "iterated" / "dataset" / "version_2"
    [new] = [
        text
        for text in (file.read_text("utf-8") for file in exported.rglob("*.txt"))
        if "smiling" in text
    ]
    assert new == "zqx person, close-up, front view, smiling, plain grey background"


@pytest.mark.slow
def test_one_lora_learns_both_characters(
    prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> None:
    few = changed(prompts[TWO], FEW)
    inputs_of(few, "LoadImage")[1]["image"] = "second.png"
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    told = trained(narrow_server, "First_and_Second/")
    assert told["modelspec.trigger_phrase"] == "zqa person, zqb person"
    # The original and one shot of each, and one shot of both.
    sources = [one["source"] for one in json.loads(told["facet.pictures"])]
    assert sorted(sources) == ["generated"] * 3 + ["original"] * 2
    assert (narrow_server.output / "facet" / "First_and_Second" / "together.png").is_file()
    for name in ("First", "Second"):
        notes = json.loads(
            (narrow_server.output / "facet" / name / "report" / "score.json").read_text("utf-8")
        )["notes"]
        assert not any("never learned" in note or "other pictures" in note for note in notes)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BASES))
def test_what_a_base_model_learned_is_seen_and_scored_in_its_turbo(
    name: str, prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> None:
    few = changed(prompts[name], FEW)
    [loader], [trainer], [scorer] = (
        inputs_of(few, kind)
        for kind in ("FacetDatasetLoader", "FacetLoraTrainer", "FacetIdentityScorer")
    )
    assert trainer["studio"] != trainer["look_through"] == scorer["studio"]
    loader["name"] = name
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    loras = narrow_server.server.base / "models" / "loras" / "facet"
    [lora] = (loras / name).glob("*.safetensors")
    with safe_open(lora, "pt") as file:
        assert BASES[name] in set(file.keys())
    folder = narrow_server.output / "facet" / name
    assert len(list(folder.glob("training/*/samples/*.png"))) == 2
    assert (folder / "report" / "report.html").is_file()


def write_lora(checkpoint: Path, path: Path) -> None:
    """A LoRA of one layer of an SDXL ``checkpoint``, that says who is in it."""
    layer = "input_blocks.4.1.transformer_blocks.0.attn1.to_q"
    with safe_open(checkpoint, "pt") as file:
        rows, columns = file.get_slice(f"model.diffusion_model.{layer}.weight").get_shape()
    name = f"lora_unet_{layer.replace('.', '_')}"
    weights = {
        f"{name}.lora_up.weight": torch.ones(rows, 2),
        f"{name}.lora_down.weight": torch.ones(2, columns),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"facet.trigger": "abc", "facet.class_word": "woman", "facet.character": "Somebody"}
    save_file(weights, path, told)


@pytest.mark.slow
def test_a_finished_lora_makes_what_is_asked_and_nothing_twice(
    prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> None:
    few = changed(prompts[USE], FEW)
    run = narrow_server.run(few)
    assert run.error.startswith("Facet Character Shot: The MODEL carries no LoRA"), run.error
    folder = narrow_server.server.base / "models"
    lora = folder / "loras" / "of_somebody.safetensors"
    write_lora(folder / "checkpoints" / "sd_xl_base_1.0.safetensors", lora)
    [shot] = inputs_of(few, "FacetCharacterShot")
    shot["lora_name"] = lora.name
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    # Whoever else is called so in this ComfyUI has a folder of its own.
    [pictures] = narrow_server.output.glob("facet/My_character*/pictures")
    kept = sorted(pictures.glob("*.png"))
    lines = shot["prompt"].splitlines()
    tried = list((pictures / "tries").glob("*.png"))
    assert (len(kept), len(tried)) == (len(lines), 2 * len(lines))
    for path in kept:
        with Image.open(path) as picture:
            record = json.loads(picture.text["facet"])
            assert json.loads(picture.text["prompt"])
        # The LoRA's own trigger wins over that of the character.
        assert record["prompt"].startswith(("(abc woman:1.1), ", "(abc woman:1.2), "))
        assert "different person" in record["negative"] and not record["passed"]
    told = "\n".join(text for node in run.outputs.values() for text in node.get("text", []))
    assert "The LoRA's file gives its trigger as 'abc'" in told
    times = {path: path.stat().st_mtime_ns for path in tried}
    shot["description"] = "long hair"
    again = narrow_server.run(few)
    assert again.status == "success", again.error
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("FacetLoraGrid", "Facet Identity Scorer: There is no LoRA to score;"),
        ("FacetIdentityScorer", "Facet LoRA Grid: There is no LoRA to compare;"),
    ],
)
def test_a_lora_has_to_be_chosen_first(
    prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer, left_out: str, said: str
) -> None:
    few = changed(prompts[ANY], FEW)
    [gone] = [key for key, node in few.items() if node["class_type"] == left_out]
    rest = {
        key: node
        for key, node in few.items()
        if key != gone and [gone] != node["inputs"].get("images", [])[:1]
    }
    assert narrow_server.run(rest).error.startswith(said)


@pytest.mark.slow
def test_a_lora_of_anybody_is_scored_and_put_on_a_grid(
    prompts: dict[str, dict[str, Any]], narrow_server: ComfyServer
) -> None:
    few = changed(prompts[ANY], FEW)
    [loader], [scorer], [grid] = (
        inputs_of(few, kind)
        for kind in ("FacetDatasetLoader", "FacetIdentityScorer", "FacetLoraGrid")
    )
    loader["name"], scorer["lora_name"], grid["loras"] = "scored", SOMEBODYS_LORA, SOMEBODYS_LORA
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    report = narrow_server.output / "facet" / "scored" / "report"
    assert list(report.glob("*.html"))
    told = json.loads((report / "score.json").read_text("utf-8"))
    assert [one["label"] for one in told["tried"]] == ["somebodys at strength 1"]
    previews = [key for key, node in few.items() if node["class_type"] == "PreviewImage"]
    assert [len(run.outputs[key]["images"]) for key in previews] == [1, 1]
    # Two prompts with the LoRA off, which the scorer's do not repeat, and with it.
    made = len(list((report / "pictures").glob("*.png")))
    grid["strengths"] = "1.0, 0.5"
    assert narrow_server.run(few).status == "success"
    assert len(list((report / "pictures").glob("*.png"))) == made + 2


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "vue"])
def test_with_their_models_they_load_without_a_word_and_mean_the_same_in_the_page(
    vue: bool, narrow_pages: Pages, prompts: dict[str, dict[str, Any]]
) -> None:
    # Every other one in each renderer: what a graph means does not depend on it. Where its nodes
    # lie does, and without their models the others are seen in it.
    page = narrow_pages.cleared(vue)
    for name in NAMES[not vue :: 2]:
        check_in_page(page, saved(name), prompts[name])
        check_apart(page)


@pytest.mark.browser
@pytest.mark.parametrize(("name", "vue"), [(name, n % 2 == 1) for n, name in enumerate(NAMES)])
def test_without_them_the_page_offers_each_model_and_nothing_else(
    name: str, vue: bool, pages: Pages
) -> None:
    # One renderer each, the one in which it is not seen with its models: what the page lacks does
    # not depend on it.
    page = pages.cleared(vue)
    check_offers(page, saved(name))
    check_apart(page)


@pytest.mark.browser
def test_as_an_app_it_asks_for_what_matters_and_has_a_run_button(pages: Pages) -> None:
    page = pages.cleared(True)
    for name in APPS:
        page.load(saved(name), app=True)
        given = saved(name)["extra"]
        assert given["linearMode"], name
        form = page.page.get_by_test_id("linear-widgets")
        asked = [widget for _, widget in given["linearData"]["inputs"]]
        for widget in asked:
            form.get_by_text(widget, exact=True).first.wait_for()
        run = page.page.get_by_test_id("linear-run-button").get_by_role(
            "button", name="Run", exact=True
        )
        assert run.first.is_visible(), name
        # What cannot be shown would be dropped from the outputs without a word.
        kept = page.run("() => app.graph.extra.linearData ?? null")
        assert len(kept["inputs"]) == len(asked), name
        outputs = [int(node) for node in kept["outputs"]]
        assert outputs == given["linearData"]["outputs"], name
    pages.close()  # A page that was an app is laid out otherwise from then on.


@pytest.mark.parametrize("name", FAMILIES)
def test_what_makes_the_shots_is_asked_in_its_own_words(
    name: str, prompts: dict[str, dict[str, Any]]
) -> None:
    [sheet], [generator] = (
        inputs_of(prompts[name], kind) for kind in ("FacetTurnaroundSheet", "FacetShotGenerator")
    )
    assert sheet["studio"] == generator["studio"]
    studio = prompts[name][sheet["studio"][0]]["inputs"]
    assert studio["prompt_style"] in set(dialects()) - {"plain"}


@pytest.mark.parametrize("name", NAMES)
def test_the_thumbnail_is_a_picture_that_the_page_shows(name: str) -> None:
    check_thumbnail(FOLDER / f"{name}.json")
