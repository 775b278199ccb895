"""run.json is put together from what the nodes left on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from facet.engine.core.character import Provenance, Score, Shot, Tags
from facet.engine.generate.shots.store import ShotStore
from facet.launcher.archive import sha256
from facet.launcher.comfyui import ComfyUI
from facet.launcher.progress import Stage
from facet.launcher.record import NAME, put_together
from facet.launcher.server import Server
from facet.launcher.setup import Environment


def shot(view: str, tries: int, *scores: Score) -> Shot:
    made = Provenance("generated", seed=5, attempt=1, tries=tries)
    return Shot(torch.rand(8, 8, 3), made, tags=Tags(view=view), scores=scores)


def record(environment: Environment, out: Path, stages: list[Stage]) -> dict[str, Any]:
    server = Server(environment, out, out / "log", output=out)
    result = put_together(server, 3, out / "facet" / "Ada", stages, 12.3456)
    plain: dict[str, Any] = json.loads(json.dumps(result))
    return plain


def test_each_shot_tells_what_was_asked_measured_and_tried(
    environment: Environment, tmp_path: Path
) -> None:
    store = ShotStore(tmp_path / "facet" / "Ada" / "shots")
    store.save("a", shot("front", 1, Score("view", 2.0, 12.0, True), Score("x", None, None, None)))
    store.save("b", shot("profile_left", 3, Score("view", 60.0, 12.0, False, "yaw +60°")))
    first, second = record(environment, tmp_path, [])["shots"]
    assert first["file"] == "facet/Ada/shots/a.png"
    assert first["asked"] == {"view": "front"}
    assert first["measured"]["view"] == {
        "value": 2.0,
        "threshold": 12.0,
        "passed": True,
        "note": "",
    }
    assert (first["tries"], first["accepted"], first["seed"]) == (1, True, 5)
    assert (second["tries"], second["accepted"]) == (3, False)


def test_every_file_is_listed_with_its_hash_and_the_record_itself_is_not(
    environment: Environment, tmp_path: Path
) -> None:
    made = tmp_path / "facet" / "Ada" / "training" / "v1" / "run.json"
    made.parent.mkdir(parents=True)
    made.write_text("{}")
    (tmp_path / NAME).write_text("{}")
    [entry] = record(environment, tmp_path, [])["files"]
    assert entry == {
        "path": "facet/Ada/training/v1/run.json",
        "bytes": 2,
        "sha256": sha256(made),
    }


def test_the_lora_is_the_one_that_the_scorer_chose(
    environment: Environment, tmp_path: Path
) -> None:
    training = tmp_path / "facet" / "Ada" / "training" / "v1"
    report = tmp_path / "facet" / "Ada" / "report"
    for folder in (training, report):
        folder.mkdir(parents=True)
    for step in (100, 200):
        (training / f"ada-{step}.safetensors").write_bytes(b"")

    def scored(value: float) -> dict[str, object]:
        return {"identity": {"value": value}, "views": {"value": 1.0}, "copies": {"value": 0.0}}

    best = scored(0.8) | {
        "step": 100,
        "strength": 0.9,
        "path": str(training / "ada-100.safetensors"),
    }
    card = {"off": scored(0.05), "best": best, "words": None, "verdict": "It is."}
    (report / "score.json").write_text(json.dumps(card))
    (report / "report.html").write_text("")
    result = record(environment, tmp_path, [])
    assert result["paths"]["lora"] == "facet/Ada/training/v1/ada-100.safetensors"
    assert result["paths"]["report"] == "facet/Ada/report/report.html"
    assert result["paths"]["dataset"] is None
    assert result["identity"]["with_lora"] == 0.8
    assert result["identity"]["without_lora"] == 0.05


def test_the_stages_and_versions_are_kept(environment: Environment, tmp_path: Path) -> None:
    result = record(environment, tmp_path, [Stage("4", "Train", "FacetLoraTrainer", 10.126)])
    assert result["seconds"]["total"] == 12.35
    assert result["seconds"]["stages"][0]["seconds"] == 10.13
    assert result["versions"]["comfyui"] == ComfyUI(environment.comfyui.folder, None).version
    assert result["versions"]["torch"] == torch.__version__
