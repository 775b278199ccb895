"""The server harness, over a real ComfyUI process."""

from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
from PIL import Image

from facet.launcher.problem import Problem
from harness.comfy_server import ComfyServer


def prompt(name: str, prefix: str = "p") -> dict[str, object]:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": prefix},
        },
    }


def test_an_uploaded_picture_runs_through_and_is_then_cached(
    server: ComfyServer, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8), (0, 0, 255)).save(tmp_path / "blue.png")
    name = server.upload(tmp_path / "blue.png")
    first = server.run(prompt(name))
    assert first.status == "success"
    [shown] = first.outputs["2"]["images"]
    assert Image.open(server.output / shown["filename"]).getpixel((0, 0)) == (0, 0, 255)
    assert server.run(prompt(name)).cached == {"1", "2"}


def test_events_end_when_the_run_does(server: ComfyServer) -> None:
    events = server.run(prompt("example.png")).events
    assert events[0][0] in ("status", "execution_start")
    assert events[-1][0] == "executing"
    assert events[-1][1]["node"] is None


def test_a_node_that_raises_ends_the_run_with_its_message(server: ComfyServer) -> None:
    run = server.run(prompt("example.png", "../../outside/p"))
    assert run.status == "error"
    assert "outside the output folder" in run.error


def test_a_refused_prompt_names_the_node_and_the_reason(server: ComfyServer) -> None:
    with pytest.raises(Problem, match=r"LoadImage: .*no-such-picture\.png"):
        server.run(prompt("no-such-picture.png"))


def test_the_pack_is_loaded_and_served(server: ComfyServer, node_ids: list[str]) -> None:
    info = server.client.get("/object_info")
    assert set(node_ids) <= set(info)
    with pytest.raises(urllib.error.HTTPError):
        server.client.get("/no-such-address")
