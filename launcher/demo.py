"""`facet.py demo`: the first workflow, from one picture to a LoRA and its report."""

from __future__ import annotations

import json
import sys
import time
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


def run(home: Home, person: int, out: Path | None, as_json: bool) -> None:
    """Set up what is missing, run the workflow for one person, and say what came of it.

    out: where the results go; by default `.facet/demo/<person>`.
    """
    out = (out or home.folder / "demo" / str(person)).expanduser().resolve()
    environment = set_up(home)
    out.mkdir(parents=True, exist_ok=True)
    require_space(out, SPACE)
    base = make_base(home, environment)
    print("Starting ComfyUI …", flush=True)
    with Server(environment, base, home.logs / "demo.log", out, options=HEADLESS) as server:
        result = follow(server, workflow.load(START), person)
    (out / record.NAME).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(result, out))
    if as_json:
        print(json.dumps(result))


def follow(server: Server, saved: dict[str, Any], person: int) -> dict[str, Any]:
    """Queue the workflow for one person on a running ComfyUI and record the run.

    Raises Problem when a node fails or the run is cancelled.
    """
    client = Client(server.address)
    prompt = workflow.to_prompt(saved, client.get("/object_info"))
    pictures = [node for node in prompt.values() if node["class_type"] == PICTURE]
    if not pictures:
        raise Problem(f"The workflow {START.name} has no {PICTURE} node to set the person on.")
    for node in pictures:
        node["inputs"]["person"] = person
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
