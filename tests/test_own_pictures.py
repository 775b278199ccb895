"""Pictures of one's own through every node of the first workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facet.launcher import demo, workflow
from harness.comfy_server import ComfyServer
from harness.graphs import ONE_OF_EACH, changed, with_own_studio

pytestmark = pytest.mark.slow

FEW = {
    "FacetShotPlan": {"preset": "own lines only", "lines": "close-up, smiling"},
    "FacetLoraTrainer": {"steps": 4, "rank": 4, "batch_size": 2, "checkpoint_every": 0},
    "FacetIdentityScorer": ONE_OF_EACH,
}


def photograph() -> np.ndarray:
    """A real person: Eileen Collins, in the public domain, as scikit-image ships her."""
    from skimage import data

    picture: np.ndarray = data.astronaut()
    return picture


def own_character() -> np.ndarray:
    """A cartoon person, as somebody would draw one for this world."""
    from facet.world.identity import HELD_OUT_FROM, Identity
    from facet.world.render import render
    from facet.world.scene import Scene

    return render(Identity.from_seed(HELD_OUT_FROM + 9999), Scene(framing="close_up"), 512).image


def quick_prompt(server: ComfyServer, picture: str, name: str) -> dict[str, Any]:
    """The first workflow over an uploaded picture, at 128 px, with little of everything."""
    saved = workflow.to_prompt(workflow.load(demo.START), server.client.get("/object_info"))
    few = changed(saved, FEW | {"FacetCharacter": {"name": name}})
    prompt = with_own_studio(few, {"steps": 2}, {"tries": 1})
    [source] = [key for key, node in prompt.items() if node["class_type"] == "FacetDemoPicture"]
    prompt["load"] = {"class_type": "LoadImage", "inputs": {"image": picture}}
    prompt[source] = {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["load", 0],
            "upscale_method": "area",
            "width": 128,
            "height": 128,
            "crop": "center",
        },
    }
    return prompt


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (photograph, "Photograph"),
        pytest.param(own_character, "Own character", marks=pytest.mark.nightly),
    ],
)
def test_every_node_takes_it(draw: Any, name: str, server: ComfyServer, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.png"
    Image.fromarray(draw()).save(file)
    run = server.run(quick_prompt(server, server.upload(file), name))
    assert run.error == ""
    assert run.status == "success"
    folder = server.output / "facet" / name.replace(" ", "_")
    assert (folder / "sheet.png").is_file()
    assert len(list((folder / "shots").glob("*.json"))) == 7
    assert (folder / "report" / "report.html").is_file()
    score = json.loads((folder / "report" / "score.json").read_text("utf-8"))
    if draw is photograph:
        assert score["identity"]["value"] is None
        assert "cannot" in score["verdict"] or "no accepted shot" in score["verdict"]
