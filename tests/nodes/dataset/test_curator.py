"""The curator's node as ComfyUI runs it, its review, and what its page may ask for."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.demo.models import DemoModels
from facet.engine.store.captions_by_hand import captions_by_hand
from facet.engine.studio.judge import Judge
from facet.nodes.dataset.curator import report_on
from harness.comfy_server import ComfyServer, Run
from harness.executor import Executor
from harness.prompts import node


def character(name: str, count: int = 4) -> Character:
    """Pictures of noise with honest captions."""
    shots = []
    for number in range(count):
        image = torch.rand(40, 24, 3, generator=torch.Generator().manual_seed(number))
        view = "front" if number % 2 else "left"
        shots.append(
            Shot(
                image,
                Provenance("imported"),
                caption=f"zqx person, front view, place {number}",
                tags=Tags(view="front", background=f"place {number}", details=(view,)),
            )
        )
    return Character(name, "zqx", "person", shots[0], tuple(shots[1:]))


def written(output: Path, name: str, count: int = 4) -> Character:
    """The character as a dataset in ComfyUI's output folder."""
    made = character(name, count)
    export(made, output / "facet" / name / "dataset" / "flat", Layout.FLAT)
    return made


def prompt(name: str, **curator: Any) -> dict[str, Any]:
    return {
        "1": node("FacetDatasetLoader", folder=f"facet/{name}/dataset/flat"),
        "2": node("FacetDatasetCurator", character=["1", 0], **curator),
        "3": node("FacetDatasetExporter", character=["2", 0], layout="flat", folder="after"),
    }


def decisions(shots: dict[str, Any], approved: str = "") -> str:
    return json.dumps({"shots": shots, "approved": approved})


def gallery(output: Path, shown: dict[str, list[Any]]) -> dict[str, Any]:
    """What the page reads after a run."""
    path = output / shown["facet_curator"][0]["gallery"]
    view: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return view


def test_what_was_decided_goes_on_and_is_kept_beside_the_dataset(comfy: Executor) -> None:
    made = written(comfy.output, "Curated")
    first, second = (shot.hash for shot in made.shots[:2])
    curation = decisions(
        {
            first[:16]: {"include": False},
            second: {"weight": 2, "tags": {"view": "profile_left"}, "caption": "zqx person, mine"},
        }
    )
    result = comfy.run(prompt("Curated", curation=curation))
    after: Character = result.value("2")
    assert [shot.include for shot in after.pictures] == [True, False, True, True]
    shot = after.shots[1]
    assert (shot.weight, shot.tags.view, shot.caption) == (2.0, "profile_left", "zqx person, mine")
    assert shot.by_hand
    assert result.value("2", 1).startswith(
        "3 of 4 images are in the dataset, 1 with a caption by hand.\n"
    )
    assert len(list((comfy.output / "facet" / "Curated" / "dataset" / "after").glob("*.png"))) == 3

    folder = comfy.output / "facet" / "Curated"
    kept = json.loads((folder / "curation.json").read_text("utf-8"))["shots"]
    assert kept.keys() == {first[:16], second[:16]}
    assert captions_by_hand(folder) == {second: "zqx person, mine"}
    # A node that was just made knows nothing, and takes that up.
    again: Character = comfy.run(prompt("Curated")).value("2")
    assert again.hash == after.hash


def test_the_page_is_shown_every_picture_as_it_came_and_what_is_wrong(comfy: Executor) -> None:
    made = written(comfy.output, "Shown")
    curation = decisions({made.shots[0].hash[:16]: {"include": False, "caption": "no word"}})
    result = comfy.run(prompt("Shown", curation=curation))
    view = gallery(comfy.output, result.ui["2"])
    assert [cell["hash"] for cell in view["shots"]] == [shot.hash for shot in made.pictures]
    assert [cell["caption"] for cell in view["shots"]] == [shot.caption for shot in made.pictures]
    assert [cell["original"] for cell in view["shots"]] == [True, False, False, False]
    assert view["shots"][0]["size"] == [24, 40]
    assert view["curation"]["shots"] == json.loads(curation)["shots"]
    assert 0 <= view["report"]["number"] <= 100
    thumbnails = {path.stem for path in (comfy.output / "facet/Shown/gallery").glob("*.webp")}
    assert thumbnails == {shot.hash[:32] for shot in made.pictures}


def test_nothing_is_measured_again_until_something_changes(demo_models: DemoModels) -> None:
    made = character("Once")
    report = report_on(made, Judge())
    assert report_on(character("Once"), Judge()) is report
    for other in (
        made.captioned({made.source.hash: "zqx person"}),
        replace(made, trigger="zqy"),
        replace(made, source=replace(made.source, mask=torch.ones(40, 24))),
    ):
        assert report_on(other, Judge()) is not report
        report = report_on(made, Judge())
    assert report.number == report_on(made, Judge()).number
    # By other models it is measured anew; the same ones may come from another judge.
    by_faces = report_on(made, Judge(demo_models.face))
    assert by_faces is not report
    assert report_on(made, Judge(demo_models.face, person_detector=object())) is by_faces
    assert report_on(made, Judge(demo_models.face, demo_models.clip_vision)) is not by_faces


def test_nonsense_in_the_widget_is_one_sentence_that_names_the_node(comfy: Executor) -> None:
    written(comfy.output, "Nonsense")
    with pytest.raises(Exception, match=r"Facet Dataset Curator: curation cannot be read .*\.$"):
        comfy.run(prompt("Nonsense", curation="{"))


def run(server: ComfyServer, name: str, page: bool, **curator: Any) -> Run:
    """A run as the page asks for it, with its workflow, or as a script does."""
    source = {"comfy_usage_source": "comfyui-frontend"} if page else {}
    body = {
        "prompt": prompt(name, **curator),
        "client_id": server.client.id,
        # A script sends the workflow along, too.
        "extra_data": {"extra_pnginfo": {"workflow": {"id": "abc", "nodes": []}}, **source},
    }
    socket = server.client.connect()
    try:
        prompt_id = server.client.post("/prompt", body)["prompt_id"]
        events = list(server.client.events(socket, prompt_id))
    finally:
        socket.close()
    history = server.client.history(prompt_id)
    assert history is not None
    return Run(events, history)


def test_the_page_waits_for_exactly_these_pictures_and_a_script_never(
    server: ComfyServer,
) -> None:
    name = "Reviewed"
    written(server.output, name)
    after = server.output / "facet" / name / "dataset" / "after"

    held = run(server, name, page=True)
    assert held.status == "success"
    assert not after.exists()
    view = gallery(server.output, held.outputs["2"])
    assert view["held"]
    # The same prompt from a script finds nothing of that in ComfyUI's cache.
    assert run(server, name, page=False).status == "success"
    assert len(list(after.glob("*.png"))) == 4

    approved = decisions({}, view["set"])
    passed = run(server, name, page=True, curation=approved)
    assert "3" in passed.outputs
    assert not gallery(server.output, passed.outputs["2"])["held"]
    assert run(server, name, page=True, curation=approved).cached >= {"1", "2", "3"}

    # With a picture more, the same approval does not do.
    written(server.output, name, 5)
    assert "3" not in run(server, name, page=True, curation=approved).outputs
    assert "3" in run(server, name, page=True, review=False, curation=approved).outputs


def ask(server: ComfyServer, route: str, **values: str) -> tuple[int, bytes]:
    """Status and body of the server's answer."""
    return answer(f"{server.address}{route}?{urllib.parse.urlencode(values)}")


def answer(asked: str | urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(asked, timeout=120) as given:
            return given.status, given.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture(scope="module")
def shown(server: ComfyServer) -> Character:
    """A character whose gallery was shown, and the same outside of the output."""
    made = written(server.output, "Asked")
    assert run(server, "Asked", page=False).status == "success"
    folder, outside = server.output / "facet" / "Asked", server.output.parent / "outside"
    for place in (outside / "gallery", folder / "other"):
        place.mkdir(parents=True)
        (place / f"{made.source.hash[:32]}.webp").write_bytes(b"secret")
        (place / "a.json").write_text('{"shots": []}')
    (server.output / "facet" / "Out").symlink_to(outside)
    (folder / "gallery" / "broken.json").write_text("[]")
    return made


def test_a_picture_is_given_small_and_large(server: ComfyServer, shown: Character) -> None:
    key = shown.source.hash[:32]
    for large in ({}, {"large": "1"}):
        status, body = ask(server, "/facet/curator/picture", folder="facet/Asked", key=key, **large)
        assert status == 200
        with Image.open(io.BytesIO(body)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (24, 40))


@pytest.mark.parametrize(
    ("folder", "key"),
    [
        ("../outside", "{key}"),
        ("facet/../../outside", "{key}"),
        ("facet/Out", "{key}"),
        ("facet/Asked/other/..", "../{key}"),
        ("facet", "{key}"),
        ("/etc", "{key}"),
        ("facet/Asked\0", "{key}"),
        ("facet/Asked", "f" * 32),
        ("facet/Asked", ""),
    ],
)
def test_no_other_picture_is_given(
    server: ComfyServer, shown: Character, folder: str, key: str
) -> None:
    values = {"folder": folder, "key": key.format(key=shown.source.hash[:32]), "large": "1"}
    status, body = ask(server, "/facet/curator/picture", **values)
    assert status == 404
    assert json.loads(body)["error"].endswith(".")


@pytest.mark.parametrize(
    "path",
    [
        "../outside/gallery/a.json",
        "facet/Out/gallery/a.json",
        "facet/Asked/other/a.json",
        "facet/Asked/gallery/broken.json",
        "facet/Asked/gallery/none.json",
        "facet/Asked/curation.json",
        "",
    ],
)
def test_no_other_file_is_read(server: ComfyServer, shown: Character, path: str) -> None:
    status, body = ask(server, "/facet/curator", path=path)
    assert status == 404
    assert json.loads(body)["error"].endswith(".")


def keep(server: ComfyServer, body: Any) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{server.address}/facet/curator/keep", data, {"Content-Type": "application/json"}
    )
    status, text = answer(request)
    return status, json.loads(text)


def test_what_the_page_sends_is_kept_at_once(server: ComfyServer, shown: Character) -> None:
    folder = server.output / "facet" / "Asked"
    first, second = (shot.hash for shot in shown.shots[:2])
    sent = {
        "folder": "facet/Asked",
        "curation": decisions({first[:16]: {"include": False}}),
        "pictures": [shot.hash for shot in shown.pictures],
        "captions": {first: " one ", second: "two"},
    }
    assert keep(server, sent) == (200, {})
    kept = json.loads((folder / "curation.json").read_text("utf-8"))["shots"]
    assert kept == {first[:16]: {"include": False}}
    assert captions_by_hand(folder) == {first: "one", second: "two"}

    view = json.loads(ask(server, "/facet/curator", path=newest_gallery(server))[1])
    assert view["kept"]["shots"] == kept

    taken_back = sent | {"curation": decisions({}), "captions": {first: None}}
    assert keep(server, taken_back) == (200, {})
    assert json.loads((folder / "curation.json").read_text("utf-8"))["shots"] == {}
    assert captions_by_hand(folder) == {second: "two"}


def newest_gallery(server: ComfyServer) -> str:
    folder = server.output / "facet" / "Asked" / "gallery"
    (name,) = [path.name for path in folder.glob("*.json") if path.name != "broken.json"]
    return f"facet/Asked/gallery/{name}"


WRONG: list[dict[str, Any]] = [
    {"folder": "../outside"},
    {"folder": "facet/Out"},
    {"folder": "facet"},
    {"folder": "facet/None"},
    {"folder": 3},
    {"curation": "{"},
    {"curation": None},
    {"pictures": ["x"]},
    {"pictures": None},
    {"captions": {"../x": "a"}},
    {"captions": {"a" * 64: 3}},
    {"captions": {"a" * 64: "x" * 70_000}},
    {"captions": {"a" * 64: "\ud800"}},
    {"captions": []},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_nothing_else_is_kept(server: ComfyServer, shown: Character, wrong: dict[str, Any]) -> None:
    outside = server.output.parent / "outside"
    before = sorted(outside.rglob("*"))
    good = {"folder": "facet/Asked", "curation": "", "pictures": [], "captions": {}}
    status, body = keep(server, good | wrong)
    assert status == 400
    assert body["error"].endswith(".")
    assert sorted(outside.rglob("*")) == before


def test_what_is_no_json_is_refused(server: ComfyServer, shown: Character) -> None:
    for body in (b"{", b"[]", b"\xff", b"[" * 100_000):
        assert keep(server, body)[0] == 400
