"""A training that is killed again and again, in processes of its own.

    python killed_training.py COMFYUI FOLDER SEED

Trains once to the end below FOLDER/whole, and once below FOLDER/killed, where each process but the
last is killed. Prints {"kills": [[last step told, first step of the next process] …]} as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10
STEPS = 30
EVERY = 3


def load(comfyui: Path, base: Path) -> Any:
    """The small models, with ComfyUI and the pack imported."""
    spec = importlib.util.spec_from_file_location("inprocess", ROOT / "launcher" / "inprocess.py")
    assert spec is not None and spec.loader is not None
    inprocess = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inprocess)
    inprocess.load_comfyui(comfyui, base)
    inprocess.declare_pack(ROOT)
    sys.path.append(str(ROOT / "tests"))
    import torch

    from facet.engine.training.model.lora import adapters
    from facet.engine.training.model.targets import target_modules
    from harness.small_models import small_models

    torch.set_num_threads(1)
    with torch.inference_mode():
        models = small_models()
    # What is imported here is not imported again in each of the processes that follow.
    network = models.model.model.diffusion_model
    with adapters(network, target_modules(network), rank=1, seed=0):
        return models


def train_to_the_end(models: Any, folder: Path, told: Callable[[int], None]) -> None:
    """Trains in ``folder`` from wherever it was left, telling each step done."""
    import torch

    from facet.engine.core.character import Character, Provenance, Shot
    from facet.engine.training.run import train
    from facet.engine.training.settings import TrainingSettings

    settings = TrainingSettings(
        steps=STEPS, rank=2, learning_rate=1e-2, checkpoint_every=EVERY, precision="fp32"
    )
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    shot = Shot(image, Provenance("original"), caption="zqx person")
    given = (models.model, models.clip, models.vae, Character("Ada", "zqx", "person", shot))
    with torch.inference_mode():
        train(
            *given,
            settings,
            folder / "training",
            "run",
            folder / "loras",
            lambda event: told(event.step),
        )


def die_in_a_write(number: int) -> None:
    """Has this process killed as it syncs or renames a file for the ``number``-th time."""
    done = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]


def life(models: Any, folder: Path, rng: random.Random, to_the_end: bool) -> list[int]:
    """One process; the steps it told of until it ended or was killed."""
    reading, writing = os.pipe()
    in_a_write = rng.random() < 0.5
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            if in_a_write and not to_the_end:
                die_in_a_write(rng.randint(1, 12))

            def tell(step: int) -> None:
                os.write(writing, b"%d\n" % step)
                if step == STEPS - 1 and not to_the_end:
                    # Faster than the kill that was meant for it.
                    os.kill(os.getpid(), signal.SIGKILL)

            train_to_the_end(models, folder, tell)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    told = b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        wanted = rng.randint(0, 3)
        while (to_the_end or in_a_write or told.count(b"\n") < wanted) and (
            part := pipe.read(4096)
        ):
            told += part
        if not (to_the_end or in_a_write):
            time.sleep(rng.uniform(0, 0.05 if wanted else 1.0))
            os.kill(child, signal.SIGKILL)
        told += pipe.read()
    _, status = os.waitpid(child, 0)
    expected = 0 if to_the_end else signal.SIGKILL
    assert status == expected, f"the process ended with {status} in place of {expected}"
    return [int(step) for step in told.split()]


def main(comfyui: Path, folder: Path, seed: int) -> None:
    models = load(comfyui, folder / "base")
    rng = random.Random(seed)
    whole = life(models, folder / "whole", rng, to_the_end=True)
    lives = [life(models, folder / "killed", rng, to_the_end=False) for _ in range(KILLS)]
    lives.append(life(models, folder / "killed", rng, to_the_end=True))
    print(json.dumps({"whole": whole, "lives": lives}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
