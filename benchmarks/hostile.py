"""What hostile inputs, kills and full disks do to a real ComfyUI with the pack in it.

    python facet.py bench hostile [--quick] [--json]

Prompts in which one input of one node is hostile: texts, numbers, choices, and constants in the
place of links. Each has to end in a result, in ComfyUI's refusal, or in one sentence that begins
with the node's name; one that takes long is cancelled and has to obey. Requests that no page sends,
to every route: none may be answered 500. A Python audit hook notes what is written, removed or
unpickled outside of the server's folders. Then runs from an image to a LoRA that are killed at
random moments and queued again, that meet a full disk (a tmpfs, where this system lets us mount
one), and that share a name: nothing of another is lost, and the weights are those of an
undisturbed run. At last a soak: memory before and after.

The full run tries prompts for three minutes, in an order that takes all inputs in turn; ``--quick``
tries few of each kind, to see that it runs.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from ._bars import Bar, bar
from ._hostile_faults import Faults, full_disks, kills, reference, same_name
from ._hostile_prompts import CHEAP, given, hostile_prompts, node
from ._hostile_routes import requests
from ._hostile_server import HostileServer, count

SECONDS, QUICK = 180.0, 30
SHOWN = 20


def main(quick: bool) -> dict[str, Any]:
    """The bars."""
    bars: dict[str, Bar] = {}
    with tempfile.TemporaryDirectory(prefix="facet-bench-") as temporary:
        folder = Path(temporary)
        with HostileServer(folder / "fuzz") as server:
            bars |= fuzzed(server, quick)
            bars |= asked(server, quick)
            bars |= soaked(server, quick)
            for line in server.outside[:SHOWN]:
                print(f"outside: {line}", flush=True)
            bars["files outside"] = bar(len(server.outside), 0, "lower")
        known, seconds = reference(folder / "reference")
        print(f"an undisturbed run takes {seconds:.0f} s", flush=True)
        found = {
            "kills": kills(folder / "kills", known, seconds, 1 if quick else 4),
            "full disks": full_disks(
                folder / "disks", known, [300_000] if quick else [20_000, 150_000, 400_000, 900_000]
            ),
            "one name": same_name(folder / "names"),
        }
    return {"bars": bars | faulty(found)}


def fuzzed(server: HostileServer, quick: bool) -> dict[str, Bar]:
    """Hostile prompts."""
    info = server.json("/object_info")
    warm = server.run({**given(info), "shown": node("PreviewAny", source=["trainer", 2])}, 240)
    if warm.kind != "done":
        raise RuntimeError(f"The prompt that all others are made of ended as {warm}.")
    began, outcomes = time.monotonic(), []
    for called, prompt in hostile_prompts(info):
        outcome = server.run(prompt)
        outcomes.append(outcome)
        if outcome.kind in ("raw", "hang"):
            print(f"{outcome.kind}: {called}: {outcome.text[:200]!r}", flush=True)
        if outcome.kind == "hang":
            break
        if time.monotonic() - began > SECONDS or (quick and len(outcomes) >= QUICK):
            break
    ends = count(outcomes)
    print(f"{len(outcomes)} hostile prompts: {dict(ends)}", flush=True)
    return {
        "raw errors": bar(ends["raw"], 0, "lower"),
        "hangs": bar(ends["hang"], 0, "lower"),
    }


def asked(server: HostileServer, quick: bool) -> dict[str, Bar]:
    """Hostile requests; and those of another site, which have to be refused."""
    wrong = foreign = tried = 0
    for number, (path, body, headers) in enumerate(requests()):
        if quick and number % 20:
            continue
        status, answer = server.ask(path, body, headers)
        tried += 1
        if status >= 500:
            wrong += 1
            print(f"{status}: {path[:80]} {(body or b'')[:60]!r} {headers}", flush=True)
        if headers.get("Origin") and status != 403:
            foreign += 1
            print(f"{status} to another site: {path[:80]} {answer[:60]!r}", flush=True)
    print(f"{tried} hostile requests", flush=True)
    return {
        "requests answered 500": bar(wrong, 0, "lower"),
        "requests of another site that were heard": bar(foreign, 0, "lower"),
    }


def soaked(server: HostileServer, quick: bool) -> dict[str, Bar]:
    """Many ordinary prompts, one after another."""
    times = 30 if quick else 300
    memory, failed, info = [], 0, server.json("/object_info")
    for number in range(times):
        prompt = given(info)
        prompt["shots"]["inputs"]["seed"] = number
        prompt["shown"] = node("PreviewAny", source=["captions", 1])
        failed += server.run(prompt, 240).kind != "done"
        memory.append(server.memory)
    # The first ones load what stays.
    settled = memory[times // 3]
    print(f"memory: {memory[0]:.0f}, {settled:.0f}, {memory[-1]:.0f} MB; {CHEAP['steps']} steps")
    return {
        "prompts of the soak that failed": bar(failed, 0, "lower"),
        "memory after the soak, to that of its first third": bar(
            memory[-1] / settled, 1.03, "lower", judged=not quick
        ),
    }


def faulty(found: dict[str, Faults | None]) -> dict[str, Bar]:
    """The bars of all faults together; a fault that this system cannot make is said."""
    for name, faults in found.items():
        print(f"{name}: {faults or 'not tried: this system mounts no small disk'}", flush=True)
    tried = [faults for faults in found.values() if faults is not None]
    return {
        "weights that differ": bar(sum(one.differ for one in tried), 0, "lower"),
        "datasets, shots or LoRAs lost": bar(sum(one.lost for one in tried), 0, "lower"),
        "runs that ended without a sentence": bar(sum(one.raw for one in tried), 0, "lower"),
    }
