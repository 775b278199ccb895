"""Time and memory of a training step, beside ComfyUI's own trainer on the same model and pictures.

python facet.py bench trainer [--quick] [--json]
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comfy.sd
import comfy.utils
import psutil
import torch

from ..engine.character import Character, Provenance, Shot
from ..engine.demo.models import RESOLUTION, DemoModels, load_models
from ..engine.sampling import encode_prompt
from ..engine.training.loop import train
from ..engine.training.settings import TrainingSettings

PICTURES = 8
MEBIBYTE = 2**20


class MemoryPeak:
    """The most memory this process held while it was watched, in MiB above where it began."""

    def __init__(self) -> None:
        self.above = 0.0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        process = psutil.Process(os.getpid())
        begin = process.memory_info().rss
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.005):
                held = (process.memory_info().rss - begin) / MEBIBYTE
                self.above = max(self.above, held)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def noise_character() -> Character:
    """Pictures of noise with captions of their own: what they show does not change the time."""
    generator = torch.Generator().manual_seed(0)
    shots = [
        Shot(
            torch.rand(RESOLUTION, RESOLUTION, 3, generator=generator),
            Provenance("generated"),
            caption=f"zqx person, picture {number}",
        )
        for number in range(PICTURES)
    ]
    return Character("Noise", "zqx", "person", shots[0], tuple(shots[1:]))


def facet_steps(model: Any, models: DemoModels, folder: Path, steps: int, batch: int) -> None:
    """``steps`` steps of this pack's trainer."""
    settings = TrainingSettings(steps=steps, batch_size=batch, checkpoint_every=0)
    name = f"run-{batch}-{steps}"
    train(model, models.clip, models.vae, noise_character(), settings, folder, name, folder)


def core_steps(model: Any, models: DemoModels, steps: int, batch: int) -> None:
    """``steps`` steps of ComfyUI's TrainLoraNode with its default settings and the same rank."""
    from comfy_extras.nodes_train import TrainLoraNode

    shots = noise_character().pictures
    latents = [{"samples": models.vae.encode(shot.image[None])} for shot in shots]
    positive = [encode_prompt(models.clip, shot.caption) for shot in shots]
    given = {
        "batch_size": batch,
        "steps": steps,
        "grad_accumulation_steps": 1,
        "learning_rate": 1e-4,
        "rank": 16,
        "optimizer": "AdamW",
        "loss_function": "MSE",
        "seed": 0,
        "training_dtype": "bf16",
        "lora_dtype": "bf16",
        "quantized_backward": False,
        "algorithm": "LoRA",
        "gradient_checkpointing": True,
        "checkpoint_depth": 1,
        "offloading": False,
        "existing_lora": "[None]",
        "bucket_mode": False,
        "bypass_mode": False,
    }
    lists = {name: [value] for name, value in given.items()}
    TrainLoraNode.execute([model], latents, positive, **lists)


def figures(run: Callable[[int], None], steps: int) -> tuple[float, float]:
    """Milliseconds of a step, set-up and saving left out, and the peak of memory in MiB.

    Processor time, summed over threads, so that what else the machine does is not counted.
    """
    run(1)
    peak = MemoryPeak()
    times = []
    for count in (2, 2 + steps):
        begin = time.process_time()
        with peak.watching():
            run(count)
        times.append(time.process_time() - begin)
    return 1000 * (times[1] - times[0]) / steps, peak.above


def main(quick: bool) -> dict[str, Any]:
    """Both trainers on the processor at batch 1 and 4; ``quick`` takes few steps."""
    steps = 12 if quick else 40
    measured: dict[str, dict[str, float]] = {}
    with torch.inference_mode(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = load_models()
        # Core's trainer loads the model from its file a second time, so it needs one.
        path = folder / "flux.safetensors"
        state = models.model.model.diffusion_model.state_dict()
        comfy.utils.save_torch_file(state, str(path))
        model = comfy.sd.load_diffusion_model(str(path))
        for batch in (1, 4):

            def ours(count: int, batch: int = batch) -> None:
                facet_steps(model, models, folder, count, batch)

            def cores(count: int, batch: int = batch) -> None:
                core_steps(model, models, count, batch)

            for who, run in (("facet", ours), ("core", cores)):
                milliseconds, memory = figures(run, steps)
                measured[f"{who}, batch {batch}"] = {
                    "ms_per_step": round(milliseconds, 1),
                    "peak_mib": round(memory, 1),
                }
    bars = {}
    for batch in (1, 4):
        own, other = measured[f"facet, batch {batch}"], measured[f"core, batch {batch}"]
        share = own["ms_per_step"] / max(other["ms_per_step"], 1e-9)
        bars[f"time of a step beside core, batch {batch}"] = {
            "value": round(share, 3),
            "target": 0.7,
            "better": "lower",
        }
    return {"bars": bars, "measured": measured, "steps": steps}
