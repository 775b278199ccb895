"""The in-process harness runs core's own nodes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.executor import Executor, InvalidPrompt, NodeError

BLUE = {
    "class_type": "EmptyImage",
    "inputs": {"width": 16, "height": 8, "batch_size": 1, "color": 255},
}


def save(source: str) -> dict[str, object]:
    return {"class_type": "SaveImage", "inputs": {"images": [source, 0], "filename_prefix": "p"}}


def test_a_prompt_leaves_values_files_and_ui(comfy: Executor) -> None:
    result = comfy.run({"1": BLUE, "2": save("1")})
    assert result.value("1").shape == (1, 8, 16, 3)
    assert result.value("1")[0, 0, 0].tolist() == [0, 0, 1]
    [shown] = result.ui["2"]["images"]
    assert (comfy.output / shown["filename"]).is_file()


def test_the_same_prompt_again_is_cached(comfy: Executor) -> None:
    prompt = {"1": BLUE, "2": save("1")}
    assert comfy.run(prompt).cached == frozenset()
    assert comfy.run(prompt).cached == {"1", "2"}


def test_a_bad_value_is_refused_before_anything_runs(comfy: Executor) -> None:
    wrong = {"class_type": "EmptyImage", "inputs": BLUE["inputs"] | {"width": 0}}
    with pytest.raises(InvalidPrompt, match="width"):
        comfy.run({"1": wrong, "2": save("1")})


def test_a_node_that_raises_is_named_with_its_message(comfy: Executor) -> None:
    crop = {
        "class_type": "SaveImage",
        "inputs": {"images": ["1", 0], "filename_prefix": "../../outside/p"},
    }
    with pytest.raises(NodeError, match="outside the output folder") as caught:
        comfy.run({"1": BLUE, "2": crop})
    assert caught.value.node_type == "SaveImage"


def test_a_prompt_runs_where_a_loop_is_running_as_beside_a_browser(comfy: Executor) -> None:
    async def beside() -> int:
        return len(comfy.run({"1": BLUE, "2": save("1")}).value("1"))

    # In a thread of its own: a browser's loop may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, beside()).result() == 1
