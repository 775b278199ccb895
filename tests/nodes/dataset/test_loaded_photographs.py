"""A folder of pictures without a word: loaded, captioned, curated and exported over HTTP."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facet.engine.core.character import Shot
from facet.engine.demo.models import DemoModels
from facet.real_faces.models import RealFaces
from facet.world.scene import Scene
from harness.comfy_server import ComfyServer, Run
from harness.demo_lora import true_shot
from harness.face_models import SEEN_AS, demo_recogniser, write_card
from harness.prompts import node

VIEWS = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")
SAID = {
    "front": "front view",
    "three_quarter_left": "three-quarter view left",
    "three_quarter_right": "three-quarter view right",
    "profile_left": "left profile",
    "profile_right": "right profile",
}
MINE, OTHER = 3, 9


def put(shot: Shot, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(shot.pixels.numpy()).save(file)


def chain(folder: str, by: list[Any], name: str, **more: Any) -> dict[str, Any]:
    """From the folder to an export, each with the judge."""
    return {
        "load": node("FacetDatasetLoader", folder=folder, trigger="zqx", name=name, judge=by),
        "write": node("FacetCaptionWriter", character=["load", 0], judge=by),
        "curate": node("FacetDatasetCurator", character=["write", 0], judge=by),
        "export": node("FacetDatasetExporter", character=["curate", 0], layout="flat"),
        **{
            f"say {key}": node("PreviewAny", source=link)
            for key, link in {
                "load": ["load", 1],
                "write": ["write", 1],
                "curate": ["curate", 1],
            }.items()
        },
        **more,
    }


def said(run: Run, what: str) -> str:
    assert run.error == "", run.error
    text: str = run.outputs[f"say {what}"]["text"][0]
    return text


@pytest.mark.slow
def test_photographs_know_what_they_show_and_somebody_else_is_named(
    server: ComfyServer, demo_models: DemoModels
) -> None:
    recognisers = server.server.base / "models" / "face_recognition"
    file = demo_recogniser(recognisers / "whole.onnx", demo_models.clip_vision)
    write_card(file, **SEEN_AS, crop="whole")
    pictures = server.input / "holidays"
    for number, view in enumerate(VIEWS * 2):
        scene = Scene(view=view, framing="close_up" if number % 2 else "medium", jitter=number)
        scene = scene if number else Scene(view=view, framing="close_up", expression="smile")
        put(true_shot(MINE, scene), pictures / f"IMG_{number:02}.png")
    put(true_shot(OTHER, Scene(view="front", framing="close_up")), pictures / "neighbour.png")
    models = {
        "models": node("FacetDemoModels"),
        "embedder": node("FacetFaceEmbedder", face_model="whole.onnx"),
        "judge": node("FacetJudge", judge=["models", 1], face_embedder=["embedder", 0]),
    }
    prompt = chain("holidays", ["judge", 0], "Holidays", **models)
    run = server.run(prompt)

    loaded = said(run, "load")
    assert "11 images read" in loaded and "Without a caption: 11." in loaded
    assert (
        "Tagged by what the judge sees in 11 images: view 11, framing 11, expression 11." in loaded
    )
    captions = said(run, "write").splitlines()
    for number, view in enumerate(VIEWS * 2):
        [caption] = [one for one in captions if one.startswith(f"IMG_{number:02}.png: ")]
        assert SAID[view] in caption
        assert ("close-up" if number % 2 or not number else "medium shot") in caption
    assert "smiling" in captions[-11] and "neutral expression" in captions[-10]

    report = said(run, "curate")
    assert "is tagged three-quarter" not in report and "is tagged front" not in report
    assert "is tagged left profile" not in report and "Coverage of view" not in report
    assert "No image has" not in report and "no caption" not in report
    lines = report.splitlines()
    [place] = [n for n, line in enumerate(lines) if "seems to be somebody else" in line]
    assert "character recognition by whole (ONNX)" in lines[place]
    assert lines[place + 1].strip() == "neighbour.png"

    folder = server.output / "facet" / "Holidays"
    gallery = json.loads(next((folder / "gallery").glob("*.json")).read_text("utf-8"))
    assert {shot["name"] for shot in gallery["shots"]} >= {"IMG_00.png", "neighbour.png"}
    assert all(shot["tags"]["view"] for shot in gallery["shots"])
    exported = folder / "dataset" / "flat"
    names = {path.name.rpartition("_")[0] for path in exported.glob("*.png")}
    assert names == {f"IMG_{number:02}" for number in range(10)} | {"neighbour"}
    # And back: as they are called, and with what was measured.
    again = server.run(chain("facet/Holidays/dataset/flat", ["judge", 0], "Again", **models))
    assert "0 of 11 captions written, 11 kept as they were." in said(again, "write")
    assert "neighbour.png: zqx person, close-up, front view" in said(again, "write")
    assert "neighbour.png" in said(again, "curate")


@pytest.mark.slow
def test_a_folder_is_measured_once(server: ComfyServer) -> None:
    """A file more, and only that one is looked at; what a person wrote beside one stays."""
    pictures = server.input / "growing"
    for number in range(3):
        put(true_shot(MINE, Scene(view="front", jitter=number)), pictures / f"{number}.png")
    (pictures / "0.txt").write_text("zqx person, by hand")
    models = {"models": node("FacetDemoModels")}
    first = server.run(chain("growing", ["models", 1], "Growing", **models))
    assert "view 3, framing 3" in said(first, "load")
    put(true_shot(MINE, Scene(view="profile_left")), pictures / "3.png")
    second = server.run(chain("growing", ["models", 1], "Growing", **models))
    assert "view 4, framing 4" in said(second, "load")
    assert "0.png: zqx person, by hand" in said(second, "write")
    assert "3.png: zqx person, medium shot, left profile" in said(second, "write")


def test_real_photographs_are_captioned_by_what_they_show(
    server: ComfyServer, real_faces: RealFaces
) -> None:
    mine = [one for one in real_faces.photographs.values() if one.who == "obama" and one.portrait]
    group = real_faces.photographs["group_4"]
    pictures = server.input / "real"
    pictures.mkdir(exist_ok=True)
    for one in (*mine, group):
        shutil.copy(one.path, pictures / f"{one.name}{one.path.suffix}")
    models = {
        "faces": {"class_type": "RealFaceModels", "inputs": {}},
        "judge": node("FacetJudge", face_detection_model=["faces", 0]),
    }
    run = server.run(chain("real", ["judge", 0], "Real", **models))
    captions = said(run, "write").splitlines()
    for one in mine:
        [caption] = [line for line in captions if line.startswith(f"{one.name}.")]
        view = one.faces[0].view
        assert not view or SAID[view] in caption, caption
        assert "people" not in caption and "angry" not in caption
    [together] = [line for line in captions if line.startswith("group_4.")]
    assert together.endswith("a group of people")
    report = said(run, "curate")
    assert "There are 4 people in the image" in report
