"""`facet.py demo`: the first workflow, from one picture to a LoRA and its report."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from . import record, workflow
from .client import Client
from .places import ROOT, Home, require_space
from .problem import Problem
from .progress import Stages
from .server import Server, make_base
from .setup import set_up

START = ROOT / "workflows" / "01_start_here.json"
HEADLESS = ("--disable-api-nodes", "--database-url", "sqlite:///:memory:")
PICTURE = "FacetDemoPicture"
SPACE = 300_000_000
OF_ONES_OWN = (
    "The demo models have seen nothing but drawn people of 128 by 128 pixels: of your picture they "
    "keep its colours and hardly the face, and the figures say how much. They show the way that a "
    "picture takes; for the person in it, connect models that know photographs (docs/"
    "your-first-lora.md)."
)


def run(home: Home, person: int, out: Path | None, as_json: bool, picture: Path | None) -> None:
    """Set up what is missing, run the workflow for one person, and say what came of it.

    out: where the results go; by default `.facet/demo/<person>`. as_json: the results are one
    object on stdout, and everything else goes to stderr. picture: a picture of one's own, in the
    place of the person.
    """
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        result, out = result_of(home, person, out, picture)
        print(table(result, out))
        if picture is not None:
            print(f"\n{OF_ONES_OWN}")
    if as_json:
        print(json.dumps(result))


def result_of(
    home: Home, person: int, out: Path | None, picture: Path | None
) -> tuple[dict[str, Any], Path]:
    """What `run` does, as the contents of run.json and the folder that it stands in."""
    if picture is not None and not picture.is_file():
        raise Problem(f"There is no picture {picture}; name a PNG, JPEG or WebP file.")
    named = str(person) if picture is None else re.sub(r"[^\w-]+", "_", picture.stem)
    out = (out or home.folder / "demo" / named).expanduser().resolve()
    environment = set_up(home)
    out.mkdir(parents=True, exist_ok=True)
    require_space(out, SPACE)
    base = make_base(home, environment)
    print("Starting ComfyUI …", flush=True)
    with Server(environment, base, home.logs / "demo.log", out, options=HEADLESS) as server:
        result = follow(server, workflow.load(START), person, picture)
    (out / record.NAME).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result, out


def follow(
    server: Server, saved: dict[str, Any], person: int, picture: Path | None = None
) -> dict[str, Any]:
    """Queue the workflow for one person on a running ComfyUI and record the run.

    picture: a picture of one's own in the place of the person. Raises Problem when a node fails or
    the run is cancelled.
    """
    client = Client(server.address)
    prompt = workflow.to_prompt(saved, client.get("/object_info"))
    pictures = [node for node in prompt.values() if node["class_type"] == PICTURE]
    if not pictures:
        raise Problem(f"The workflow {START.name} has no {PICTURE} node to set the person on.")
    for node in pictures:
        node["inputs"]["person"] = person
    if picture is not None:
        prompt["own picture"] = _node("LoadImage", image=client.upload(picture))
        # The models know pictures of this size alone.
        asked = {"width": 128, "height": 128, "upscale_method": "area", "crop": "center"}
        scaled = _node("ImageScale", image=["own picture", 0], **asked)
        for node in pictures:
            node.update(scaled)
    stages = Stages(prompt, out=sys.stdout)
    begin = time.monotonic()
    socket = client.connect()
    try:
        prompt_id = client.queue(prompt, saved)
        for event, data in client.events(socket, prompt_id):
            stages.see(event, data)
            if event == "execution_error":
                raise Problem(f"\n{data['exception_message'].strip()} (log: {server.log})")
            if event == "execution_interrupted":
                raise Problem("\nThe run was cancelled; what was made until then is kept.")
    finally:
        socket.close()
    total = time.monotonic() - begin
    character = character_folder(server.output)
    return record.put_together(server, person, character, list(stages.stages.values()), total)


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def character_folder(output: Path) -> Path:
    """The character's folder that the run wrote to last."""

    def last_change(folder: Path) -> float:
        return max((path.stat().st_mtime for path in folder.rglob("*")), default=0.0)

    folders = [path for path in (output / "facet").glob("*") if path.is_dir()]
    newest = max(folders, key=last_change, default=None)
    if newest is None:
        raise Problem(f"The workflow ended and wrote no character into {output / 'facet'}.")
    return newest


def table(result: dict[str, Any], out: Path) -> str:
    """The results for the screen: where they lie, how long it took, how like it is."""
    rows = [(name, str(out / path)) for name, path in result["paths"].items() if path]
    rows.append(("figures", str(out / record.NAME)))
    accepted = sum(shot["accepted"] for shot in result["shots"])
    lines = [f"  {name:8} {path}" for name, path in rows]
    lines.append(f"  {accepted} of {len(result['shots'])} shots accepted,")
    lines[-1] += f" {result['seconds']['total']:.0f} s in all."
    return "\n".join(["", *lines])
