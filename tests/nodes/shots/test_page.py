"""What the page asks of the shooting nodes, and what it may not ask."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from harness.comfy_server import ComfyServer
from harness.prompts import demo_prompt, node

KEY = "0123456789abcdef01234567"


def ask(server: ComfyServer, route: str, **values: str) -> tuple[int, bytes]:
    """Status and body of the server's answer."""
    url = f"{server.address}{route}?{urllib.parse.urlencode(values)}"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture(scope="module")
def character(server: ComfyServer) -> Path:
    """A character's folder with one shot and one grid in it, and the same outside of the output."""
    folder = server.output / "facet" / "Routes"
    for place in (folder / "shots", folder / "other", server.output.parent / "secret" / "shots"):
        place.mkdir(parents=True)
        Image.new("RGB", (1000, 500), "red").save(place / f"{KEY}.png")
    (folder / "grids").mkdir()
    for place in (folder / "grids" / "a.json", server.output.parent / "secret" / "b.json"):
        place.write_text(json.dumps({"cells": []}))
    (folder / "grids" / "broken.json").write_text("{")
    (folder / "grids" / "way_out").symlink_to(server.output.parent / "secret")
    (server.output / "facet" / "Linked").symlink_to(server.output.parent / "secret")
    return folder


def test_a_shot_is_given_small(server: ComfyServer, character: Path) -> None:
    status, body = ask(server, "/facet/shots/picture", folder="facet/Routes/shots", key=KEY)
    assert status == 200
    with Image.open(io.BytesIO(body)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (384, 192))
    status, body = ask(server, "/facet/shots/grid", path="facet/Routes/grids/a.json")
    assert (status, json.loads(body)) == (200, {"cells": []})


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ("../secret/shots", KEY),
        ("facet/../../secret/shots", KEY),
        ("facet/Linked/shots", KEY),
        ("/etc", KEY),
        ("facet/Routes/other", KEY),
        ("facet/Routes/shots", f"../shots/{KEY}"),
        ("facet/Routes/shots", "../../../secret/shots/x"),
        ("facet/Routes/shots", "f" * 24),
        ("facet/Routes/shots\0", KEY),
        ("", ""),
    ],
)
def test_no_other_picture_is_given(
    server: ComfyServer, character: Path, folder: str, key: str
) -> None:
    status, body = ask(server, "/facet/shots/picture", folder=folder, key=key)
    assert status == 404
    assert json.loads(body)["error"].endswith(".")


@pytest.mark.parametrize(
    "path",
    [
        "../secret/b.json",
        "facet/Routes/grids/way_out/b.json",
        "facet/Routes/grids/broken.json",
        "facet/Routes/grids/none.json",
        "facet/Routes/shots/../grids",
        "/etc/passwd",
        "",
    ],
)
def test_no_other_file_is_read(server: ComfyServer, character: Path, path: str) -> None:
    status, body = ask(server, "/facet/shots/grid", path=path)
    assert status == 404
    assert json.loads(body)["error"].endswith(".")


def test_decisions_that_are_no_json_stop_the_node_with_a_sentence(server: ComfyServer) -> None:
    shown = {"character": ["character", 0], "studio": ["models", 0], "decisions": "{"}
    prompt = demo_prompt(shots=node("FacetTurnaroundSheet", **shown))
    run = server.run(prompt)
    assert run.error.startswith("Facet Turnaround Sheet: decisions cannot be read (")
    assert "\n" not in run.error
