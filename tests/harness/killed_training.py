"""A training that is killed again and again, in processes of its own; for `inside.call`."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PHASES = ("before a step", "between steps", "in a sync", "in a rename")
"""Where a process can be when it is killed."""
STEPS = 18
EVERY = 3


def load() -> Any:
    """The small models, with all imported that a training needs."""
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


def die_in(phase: str, number: int) -> None:
    """Has this process killed as it syncs, or renames, a file for the ``number``-th time."""
    done = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    if phase == "in a sync":
        os.fsync = counted(os.fsync)
    if phase == "in a rename":
        Path.replace = counted(Path.replace)  # type: ignore[method-assign]


def life(models: Any, folder: Path, rng: random.Random, phase: str | None) -> list[int]:
    """One process; the steps it told of until it was killed in ``phase``, or ended by itself."""
    reading, writing = os.pipe()
    wanted = rng.randint(1, 3) if phase == "between steps" else 0
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            if phase is not None:
                die_in(phase, rng.randint(1, 6))

            def tell(step: int) -> None:
                os.write(writing, b"%d\n" % step)
                if step == STEPS - 1 and phase is not None:
                    # Faster than the kill that was meant for it.
                    os.kill(os.getpid(), signal.SIGKILL)

            train_to_the_end(models, folder, tell)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    told = b""
    by_the_clock = phase in ("before a step", "between steps")
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while (not by_the_clock or told.count(b"\n") < wanted) and (part := pipe.read(4096)):
            told += part
        if by_the_clock:
            time.sleep(rng.uniform(0, 0.05 if wanted else 1.0))
            os.kill(child, signal.SIGKILL)
        told += pipe.read()
    _, status = os.waitpid(child, 0)
    expected = 0 if phase is None else signal.SIGKILL
    assert status == expected, f"the process ended with {status} in place of {expected}"
    return [int(step) for step in told.split()]


def main(folder: str, seed: int, phases: Sequence[str]) -> dict[str, Any]:
    """Trains once to the end below folder/whole, and once below folder/killed, where a process is
    killed in each of ``phases`` and one more goes on to the end: the steps that each told of."""
    models = load()
    rng = random.Random(seed)
    whole = life(models, Path(folder) / "whole", rng, None)
    lives = [life(models, Path(folder) / "killed", rng, phase) for phase in (*phases, None)]
    return {"whole": whole, "lives": lives}
