"""ComfyUI run with --multi-user keeps apart what each person keeps."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.comfy_server import ComfyServer, options

if TYPE_CHECKING:
    from facet.launcher.setup import Environment


@pytest.fixture(scope="module")
def shared_server(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    from facet.launcher.places import Home
    from facet.launcher.server import Server, make_base

    home = Home(tmp_path_factory.mktemp("users") / ".facet")
    base = make_base(home, environment)
    flags = (*options(), "--multi-user")
    with Server(environment, base, home.logs / "server.log", options=flags) as running:
        yield ComfyServer(running)


def asked(
    server: ComfyServer, user: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The JSON that ``user`` gets; of an error the answer too."""
    headers = {"Comfy-User": user, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.address + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as refusal:
        told = {"status": refusal.code, **json.load(refusal)}
    return told


def test_a_preset_is_its_users_own(shared_server: ComfyServer) -> None:
    ada, bob = (shared_server.client.post("/users", {"username": name}) for name in ("Ada", "Bob"))
    row = {"name": "grumpy", "sliders": {"frown_l": 0.5}}
    assert asked(shared_server, ada, "/facet/expression/preset", row)["name"] == "grumpy"
    assert "grumpy" in asked(shared_server, ada, "/facet/expression/rig")["presets"]
    assert "grumpy" not in asked(shared_server, bob, "/facet/expression/rig")["presets"]
    taken = asked(shared_server, bob, "/facet/expression/preset", row)["error"]
    assert "another user's preset" in taken
    unknown = asked(shared_server, "nobody", "/facet/expression/rig")["error"]
    assert unknown.startswith("ComfyUI does not know you")
    kept = list(Path(shared_server.server.base, "user").rglob("grumpy.json"))
    assert [path.parts[-4] for path in kept] == [ada]
