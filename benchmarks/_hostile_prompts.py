"""Prompts in which one input is hostile: every input of every node of the pack."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

DEEP = "[" * 50_000
MANY_DIGITS = "1" + "0" * 400
LONG = "a red hat, " * 6_000
HALF = "zqx \ud83d"
TEXTS = [
    "", " ", "\0", HALF, LONG, DEEP, "../../../etc/passwd", "/etc/passwd", "..", "C:\\con", "nul",
    "x" * 300, "<img src=x onerror=alert(1)>", "{", "null", "[1]", '{"a": 1}', "NaN", "1e999",
    MANY_DIGITS, "((((", "\\(fate\\)", "(zqx:1e9) woman", "embedding:nothing", "\u202e\u0000\uffff",
    '{"front view": {"state": 3}}', '{"shots": {"0": 1}}', '{"sliders": {"smile_l": 1e400}}',
]  # fmt: skip
NUMBERS: list[Any] = [
    float("nan"), float("inf"), float("-inf"), -1, 0, 2**31, 2**63, -(2**63), 1e308, "1", "x", True,
    None, [], {}, int(MANY_DIGITS),
]  # fmt: skip
CONSTANTS: list[Any] = [None, 5, 0.5, True, "text", HALF, {}, {"a": 1}, {"samples": 1}, ["no", 0]]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
CHEAP: Json = {
    "steps": 2, "epochs": 0, "resolution": 64, "checkpoint_every": 0, "sample_every": 0,
    "tries": 1, "prompts": 1, "samples": 1, "strengths": "1", "width": 64, "height": 64,
    "upscale_by": 1.5,
}  # fmt: skip
LORA = "facet/Ada/run.safetensors"


def given(info: Json) -> Json:
    """A small prompt that has each kind of thing: models, a character with shots, a LoRA."""
    prompt = {
        "models": node("FacetDemoModels"),
        "picture": node("FacetDemoPicture", person=7),
        "studio": node(
            "FacetStudio",
            model=["models", 2], clip=["models", 3], vae=["models", 4],
            reference_mode="reference_latents", steps=2, cfg=1.0, sampler_name="euler",
            scheduler="auto",
        ),
        "character": node(
            "FacetCharacter",
            image=["picture", 0], name="Ada", trigger="zqx", class_word="person",
        ),
        "plan": node("FacetShotPlan", preset="own lines only", lines="front view"),
        "shots": node(
            "FacetShotGenerator",
            character=["character", 0], studio=["studio", 0], plan=["plan", 0], seed=1,
        ),
        "captions": node("FacetCaptionWriter", character=["shots", 0], policy="bind_to_trigger",
                         keep_existing=True),
        "options": node("FacetTrainingOptions", resolution=64),
        "trainer": node(
            "FacetLoraTrainer",
            character=["captions", 0], studio=["studio", 0], options=["options", 0],
            run_name="run", steps=2, rank=2, learning_rate=1e-3, batch_size=1, seed=1,
        ),
        "mask": node("SolidMask", value=1.0, width=128, height=128),
    }  # fmt: skip
    for one in prompt.values():
        for name, spec in info[one["class_type"]]["input"].get("required", {}).items():
            one["inputs"].setdefault(name, default(name, spec))
    return prompt


SOURCES = {
    "FACET_CHARACTER": ["captions", 0],
    "FACET_STUDIO": ["studio", 0],
    "FACET_JUDGE": ["models", 1],
    "FACET_PLAN": ["plan", 0],
    "FACET_TRAINING_OPTIONS": ["options", 0],
    "FACET_RUN": ["trainer", 2],
    "LORA_MODEL": ["trainer", 0],
    "IMAGE": ["picture", 0],
    "MASK": ["mask", 0],
    "MODEL": ["models", 2],
    "CLIP": ["models", 3],
    "VAE": ["models", 4],
    "CLIP_VISION": ["models", 5],
    "FACE_DETECTION_MODEL": ["models", 6],
    "BACKGROUND_REMOVAL": ["models", 7],
}
"""What in ``given`` has something for a socket."""


def node(kind: str, **inputs: Any) -> Json:
    """A node of a prompt."""
    return {"class_type": kind, "inputs": inputs}


def usual(kind: str, info: Json) -> Json | None:
    """The inputs of a node as it works, in few steps; None where a socket has no source."""
    found: Json = {}
    for group in ("required", "optional"):
        for name, spec in info["input"].get(group, {}).items():
            value = default(name, spec)
            if value is not None:
                found[name] = value
            elif group == "required":
                return None
    return found


def default(name: str, spec: list[Any]) -> Any:
    """A usual value of an input; None where there is none."""
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    if isinstance(kind, list):  # a choice, as core's older nodes write it
        return options.get("default", kind[0] if kind else None)
    if kind not in WIDGETS:
        return SOURCES.get(kind)
    if name in CHEAP:
        return CHEAP[name]
    choices = options.get("options") or [None]
    return options.get("default", choices[0])


def hostile_values(spec: list[Any]) -> list[Any]:
    """What is tried in the place of a usual value."""
    kind = spec[0]
    if kind == "STRING":
        return TEXTS
    if kind in ("INT", "FLOAT", "BOOLEAN"):
        return NUMBERS
    if kind == "COMBO" or isinstance(kind, list):
        return ["", "nothing", "../x", None, 5, HALF]
    return CONSTANTS


def hostile_prompts(object_info: Json, seed: int = 0) -> Iterator[tuple[str, Json]]:
    """Each hostile prompt with what it is called, in an order that takes all nodes in turn."""
    base = given(object_info)
    tried = []
    for kind, info in object_info.items():
        inputs = usual(kind, info) if kind.startswith("Facet") else None
        if inputs is None:
            continue
        for group in ("required", "optional"):
            for name, spec in info["input"].get(group, {}).items():
                for number, value in enumerate(hostile_values(spec)):
                    tried.append((kind, f"{kind}.{name} #{number}", {**inputs, name: value}))
        for name in info["input"].get("optional", {}):
            left = {key: value for key, value in inputs.items() if key != name}
            tried.append((kind, f"{kind} without {name}", left))
    random.Random(seed).shuffle(tried)
    for kind, called, inputs in tried:
        prompt = {**base, "hostile": node(kind, **inputs)}
        if not object_info[kind].get("output_node"):
            prompt["shown"] = node("PreviewAny", source=["hostile", 0])
        # Nothing else is an output, so that what the hostile node does not need is not run.
        needed = reached(prompt, ["shown"] if "shown" in prompt else ["hostile"])
        yield called, {key: prompt[key] for key in prompt if key in needed}


def reached(prompt: Json, ends: list[str]) -> set[str]:
    """The nodes that ``ends`` depend on, with them."""
    found, waiting = set(), list(ends)
    while waiting:
        name = waiting.pop()
        if name in found or name not in prompt:
            continue
        found.add(name)
        for value in prompt[name]["inputs"].values():
            if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
                waiting.append(value[0])
    return found
