"""Kills, full disks and names that meet: what is lost, and whether the weights differ."""

from __future__ import annotations

import hashlib
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._hostile_prompts import given, node
from ._hostile_server import HostileServer, empty

Json = dict[str, Any]
DISK_MB = 24
PATIENCE = 240.0


@dataclass(frozen=True)
class Faults:
    """How many were tried, and what went wrong in how many."""

    tried: int
    differ: int
    lost: int
    raw: int


def whole_way(server: HostileServer, name: str, person: int = 7) -> Json:
    """From an image to a dataset and a LoRA, in a few seconds."""
    prompt = given(server.json("/object_info"))
    prompt["picture"]["inputs"]["person"] = person
    prompt["character"]["inputs"]["name"] = name
    prompt["plan"]["inputs"]["lines"] = "front view\nfront view, happy\nprofile left"
    prompt["trainer"]["inputs"] |= {"steps": 24, "checkpoint_every": 6}
    prompt["export"] = node(
        "FacetDatasetExporter", character=["captions", 0], layout="flat", folder="", repeats=1
    )
    del prompt["mask"]
    return prompt


def digest(path: Path) -> str:
    """sha256 of a file; '' where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def lora_of(server: HostileServer, name: str, run: str = "run") -> str:
    """The digest of the LoRA that ``whole_way`` leaves."""
    return digest(server.base / "models" / "loras" / "facet" / name / f"{run}.safetensors")


def shots_of(output: Path) -> dict[str, str]:
    """The shots on the disk, by their file."""
    return {path.name: digest(path) for path in sorted(output.glob("facet/*/shots/*.png"))}


def reference(folder: Path) -> tuple[str, float]:
    """The LoRA of an undisturbed run, and the seconds that it takes."""
    with HostileServer(folder) as server:
        began = time.monotonic()
        outcome = server.run(whole_way(server, "Ada"), PATIENCE)
        if outcome.kind != "done":
            raise RuntimeError(f"The undisturbed run ended as {outcome}.")
        return lora_of(server, "Ada"), time.monotonic() - began


def kills(folder: Path, known: str, seconds: float, times: int, seed: int = 0) -> Faults:
    """Kills the run at random moments, and queues it again on a new server."""
    moments = random.Random(seed)
    differ = lost = raw = 0
    for number in range(times):
        empty(folder)
        with HostileServer(folder) as server:
            server.queue(whole_way(server, "Ada"))
            time.sleep(seconds * (number + moments.random()) / times)
            kept = shots_of(server.output)
            server.kill()
        with HostileServer(folder) as server:
            outcome = server.run(whole_way(server, "Ada"), PATIENCE)
            after = shots_of(server.output)
            lost += any(after.get(name) != value for name, value in kept.items())
            differ += lora_of(server, "Ada") != known
            raw += outcome.kind != "done"
            # Whatever is half-written is gone, and nothing else took the run's place.
            lost += bool(list(server.output.rglob("*.part"))) or bool(
                list(server.output.glob("facet/*/training/run_2"))
            )
    return Faults(times, differ, lost, raw)


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of 24 MB in ``folder``; False where this system gives none."""
    empty(folder)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=False, capture_output=True)


def full_disks(folder: Path, known: str, margins: list[int]) -> Faults | None:
    """Runs with ``margins`` bytes left on the output's disk, then again with the disk free."""
    differ = lost = raw = 0
    with small_disk(folder / "output") as mounted:
        if not mounted:
            return None
        with HostileServer(folder, folder / "output") as server:
            ballast = server.output / "ballast"
            for number, margin in enumerate(margins):
                name = f"Ada{number}"
                room = _free(server.output) - margin
                ballast.write_bytes(b"\0" * max(0, room))
                outcome = server.run(whole_way(server, name), PATIENCE)
                kept = shots_of(server.output)
                ballast.unlink()
                raw += outcome.kind not in ("done", "sentence")
                again = server.run(whole_way(server, name), PATIENCE)
                raw += again.kind != "done"
                after = shots_of(server.output)
                lost += any(after.get(one) != value for one, value in kept.items())
                differ += _tensors(server, name) != _tensors(server, "Ada0")
                lost += bool(list(server.output.rglob("*.part")))
    return Faults(len(margins), differ, lost, raw)


def same_name(folder: Path) -> Faults:
    """Two people under the name that the node has by itself."""
    lost = raw = 0
    with HostileServer(folder) as server:
        first, second = (whole_way(server, "My character", person) for person in (7, 11))
        raw += server.run(first, PATIENCE).kind != "done"
        before = {
            path: digest(path)
            for root in (server.output, server.base / "models" / "loras")
            for path in root.rglob("*")
            if path.is_file()
        }
        raw += server.run(second, PATIENCE).kind != "done"
        lost += sum(digest(path) != value for path, value in before.items())
        loras = list((server.base / "models" / "loras").rglob("*.safetensors"))
        lost += len(loras) != 2
    return Faults(1, 0, lost, raw)


def _free(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


def _tensors(server: HostileServer, name: str) -> str:
    """The weights alone: a file also says its character's name."""
    from safetensors.numpy import load_file

    path = server.base / "models" / "loras" / "facet" / name / "run.safetensors"
    if not path.is_file():
        return f"{name} has none"
    found = hashlib.sha256()
    for key, value in sorted(load_file(path).items()):
        found.update(key.encode() + value.tobytes())
    return found.hexdigest()
