"""The benchmark of the whole demo measures what people get."""

from __future__ import annotations

from facet.benchmarks.end_to_end import FULL, TRAINING
from facet.launcher import demo, workflow
from harness.comfy_server import ComfyServer


def test_the_benchmark_trains_as_the_workflow_does(server: ComfyServer) -> None:
    prompt = workflow.to_prompt(workflow.load(demo.START), server.client.get("/object_info"))
    [trainer] = [n for n in prompt.values() if n["class_type"] == "FacetLoraTrainer"]
    for name, value in (TRAINING | {"steps": FULL.steps}).items():
        assert trainer["inputs"][name] == value, name
