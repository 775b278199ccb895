"""What saved workflows rely on: ids, inputs in their order, choices, and outputs in theirs.

`promise.json` holds what was released. It grows with a release and nothing in it is ever taken
away: an id or an input goes through ComfyUI's node replacement, a new input comes last and may be
left out. `python facet.py test tests/test_promise.py --write-promise` adds what is new.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PROMISE = Path(__file__).with_name("promise.json")
OF_CORE = {"sampler_name", "scheduler"}
"""Inputs whose choices are ComfyUI's own."""


def said_of(about: dict[str, Any]) -> dict[str, Any]:
    """What a workflow that has this node holds of it."""
    inputs = {
        name: spec
        for group in ("required", "optional")
        for name, spec in about["input"].get(group, {}).items()
    }
    return {
        "inputs": list(inputs),
        "choices": {
            name: list(spec[1].get("options") or [])
            for name, spec in inputs.items()
            if spec[0] == "COMBO" and name not in OF_CORE
        },
        "outputs": list(about["output"]),
    }


@pytest.fixture(scope="module")
def promised(request: pytest.FixtureRequest, info: dict[str, Any]) -> dict[str, Any]:
    if request.config.option.write_promise:
        said = {node: said_of(about) for node, about in sorted(info.items())}
        PROMISE.write_text(json.dumps(said, indent=1) + "\n", "utf-8")
    known: dict[str, Any] = json.loads(PROMISE.read_text("utf-8"))
    return known


def broken(promised: dict[str, Any], info: dict[str, Any]) -> list[str]:
    """What a workflow of a released version would not find any more."""
    wrong = []
    for node, was in promised.items():
        if node not in info:
            wrong.append(f"{node} is gone")
            continue
        now = said_of(info[node])
        for kind in ("inputs", "outputs"):
            if now[kind][: len(was[kind])] != was[kind]:
                wrong.append(f"{node}: its {kind} were {was[kind]} and are {now[kind]}")
        for name, choices in was["choices"].items():
            gone = set(choices) - set(now["choices"].get(name, []))
            wrong += [f"{node}.{name}: the choice {one!r} is gone" for one in sorted(gone)]
    return wrong


def test_a_workflow_of_a_released_version_finds_all_that_it_names(
    promised: dict[str, Any], info: dict[str, Any]
) -> None:
    assert broken(promised, info) == []


def test_every_node_is_promised(promised: dict[str, Any], info: dict[str, Any]) -> None:
    assert sorted(promised) == sorted(info)


def test_a_new_input_may_be_left_out(promised: dict[str, Any], info: dict[str, Any]) -> None:
    for node, about in info.items():
        new = set(said_of(about)["inputs"][len(promised[node]["inputs"]) :])
        assert not new & set(about["input"].get("required", {})), node


def test_what_is_taken_away_or_moved_is_seen(promised: dict[str, Any]) -> None:
    node = {
        "input": {
            "required": {"a": ["INT", {}]},
            "optional": {"b": ["COMBO", {"options": ["x", "y"]}]},
        },
        "output": ["IMAGE"],
    }
    was = {"N": said_of(node)}
    assert broken(was, {"N": node}) == []
    assert broken(was, {}) == ["N is gone"]
    moved = {**node, "input": {"required": {"c": ["INT", {}], **node["input"]["required"]}}}
    assert broken(was, {"N": moved})[0].startswith("N: its inputs were ['a', 'b'] and are")
    fewer = {**node, "input": {**node["input"], "optional": {"b": ["COMBO", {"options": ["x"]}]}}}
    assert broken(was, {"N": fewer}) == ["N.b: the choice 'y' is gone"]
    more = {**node, "output": ["IMAGE", "MASK"]}
    assert broken(was, {"N": more}) == []
    assert broken({"N": said_of(more)}, {"N": node})[0].startswith("N: its outputs were")
