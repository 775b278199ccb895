"""ComfyUI run with another cache of outputs makes the same LoRA."""

from __future__ import annotations

from pathlib import Path

import pytest
from execution import CacheType
from safetensors import safe_open

from facet.engine.dataset.output import file_hash
from harness.executor import Executor, Prompt
from harness.given import loras_folder
from harness.prompts import demo_prompt, node, studio_node


def prompt() -> Prompt:
    plan = node("FacetShotPlan", preset="own lines only", lines="front view\nprofile left")
    return demo_prompt(
        studio=studio_node(),
        plan=plan,
        shots=node(
            "FacetShotGenerator", character=["character", 0], studio=["studio", 0], plan=["plan", 0]
        ),
        captions=node("FacetCaptionWriter", character=["shots", 0]),
        options=node("FacetTrainingOptions", resolution=64),
        train=node(
            "FacetLoraTrainer",
            character=["captions", 0],
            studio=["studio", 0],
            options=["options", 0],
            run_name="run",
            steps=2,
            rank=2,
        ),
        export=node("FacetDatasetExporter", character=["captions", 0], layout="flat"),
    )


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """The LoRA that ComfyUI makes as it comes, once it is trained."""
    return {}


@pytest.mark.parametrize(
    ("cache", "sizes"),
    [
        pytest.param(CacheType.CLASSIC, {}, id="as it comes"),
        pytest.param(CacheType.LRU, {"lru": 2}, id="--cache-lru 2"),
        pytest.param(CacheType.NONE, {}, id="--cache-none"),
        pytest.param(CacheType.RAM_PRESSURE, {"ram": 1e6}, id="--cache-ram, with none to spare"),
    ],
)
def test_another_cache_makes_the_same_lora_and_a_second_run_makes_nothing_anew(
    node_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    known: dict[str, str],
    cache: CacheType,
    sizes: dict[str, float],
) -> None:
    loras = loras_folder(monkeypatch, tmp_path / "loras")
    with Executor(tmp_path, cache, **sizes) as comfy:
        comfy.run(prompt())
        [lora] = loras.rglob("*.safetensors")
        made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("shots/*.png")}
        assert len(made) == 2
        assert file_hash(lora) == known.setdefault("lora", file_hash(lora))
        comfy.run(prompt())
    assert list(loras.rglob("*.safetensors")) == [lora] and file_hash(lora) == known["lora"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("shots/*.png")} == made
    with safe_open(lora, "pt") as file:
        assert file.metadata()["facet.step"] == "2"
