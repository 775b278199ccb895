"""One measurement of a trainer, in a process of its own (`_process.py`).

Time is this process's processor time on one thread, so that what else the machine does is not
counted. Memory is what the process holds beyond the loaded model at most, while steps are taken.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEBIBYTE = 2**20
CAPTION = "zqx person, picture {}"


@dataclass(frozen=True)
class Case:
    """who: facet, core (default), bypass or bare; side of the pictures in px; seconds: of steps."""

    who: str
    hidden: int
    side: int
    batch: int
    rank: int = 16
    pictures: int = 4
    steps: int = 20
    seconds: float = 10.0
    checkpointing: bool = True


class EnoughSteps(Exception):
    """The time for this measurement is over."""


class Meter:
    """Processor time of each step, and the most memory held, in bytes beyond where it began."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.base = held()
        self.most = 0
        self.marks: list[float] = []
        self.done = threading.Event()
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def watch(self) -> None:
        while not self.done.wait(0.005):
            self.most = max(self.most, held())

    def step(self) -> None:
        """A step is over; the first only starts the clock. Raises EnoughSteps."""
        self.marks.append(time.process_time())
        if len(self.marks) == 1:
            self.watcher.start()
        elif self.marks[-1] - self.marks[0] > self.case.seconds:
            raise EnoughSteps

    def figures(self) -> dict[str, float]:
        """Milliseconds a step (the median) and MiB."""
        self.done.set()
        self.watcher.join()
        times = sorted(b - a for a, b in zip(self.marks, self.marks[1:], strict=False))
        middle = times[len(times) // 2]
        return {
            "ms": 1000 * middle,
            "mib": max(0.0, (self.most - self.base) / MEBIBYTE),
            "steps": len(times),
        }


def held() -> int:
    """Bytes of memory of this process's own, without the pages of mapped files."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    import psutil

    return int(psutil.Process().memory_info().rss)


def measure(case: Case, folder: Path) -> dict[str, float]:
    """Loads the model, trains for as long as the case says, and returns the figures."""
    import comfy.sd
    import comfy.utils
    import peft  # noqa: F401  # what a trainer imports is no memory of its steps
    import torch

    from ..engine.demo.models import load_models
    from ._flux import Shape, random_flux

    torch.set_num_threads(1)
    with torch.inference_mode():
        demo = load_models()
        condition = demo.clip.encode_from_tokens_scheduled(demo.clip.tokenize(CAPTION.format(0)))
    text, pooled = condition[0][0], condition[0][1]["pooled_output"]
    shape = Shape(case.hidden, text=text.shape[-1], pooled=pooled.shape[-1])
    if case.who == "bare":
        return bare(case, random_flux(shape), shape)
    # Core's trainer loads the model from its file a second time, so it needs one.
    path = folder / "flux.safetensors"
    comfy.utils.save_torch_file(random_flux(shape), str(path))
    with torch.inference_mode():
        model = comfy.sd.load_diffusion_model(str(path))
        sum(float(weight.sum()) for weight in model.model.parameters())
        trainer = facet if case.who == "facet" else core
        return trainer(case, model, demo, folder)


def pictures(case: Case) -> list[Any]:
    """Noise, (H, W, 3) each: what pictures show does not change the time."""
    import torch

    generator = torch.Generator().manual_seed(0)
    count = max(case.pictures, case.batch)
    return [torch.rand(case.side, case.side, 3, generator=generator) for _ in range(count)]


def facet(case: Case, model: Any, demo: Any, folder: Path) -> dict[str, float]:
    """This pack's trainer, through the same call as its node."""
    from ..engine.core.character import Character, Provenance, Shot
    from ..engine.training.run import train
    from ..engine.training.settings import TrainingSettings

    shots = [
        Shot(image, Provenance("generated"), caption=CAPTION.format(number))
        for number, image in enumerate(pictures(case))
    ]
    settings = TrainingSettings(
        steps=case.steps + 1,
        rank=case.rank,
        batch_size=case.batch,
        checkpoint_every=0,
        caption_dropout=0.0,
        precision="fp32",
        gradient_checkpointing=case.checkpointing,
    )
    character = Character("Noise", "zqx", "person", shots[0], tuple(shots[1:]))
    meter = Meter(case)

    def run() -> None:
        train(
            model, demo.clip, demo.vae, character, settings, folder, "run", folder,
            on_event=lambda event: meter.step(),
        )  # fmt: skip

    return taken(run, meter)


def core(case: Case, model: Any, demo: Any, folder: Path) -> dict[str, float]:
    """ComfyUI's TrainLoraNode with its default settings, in fp32 as the others."""
    from comfy_extras.nodes_train import TrainLoraNode
    from torch.optim.optimizer import register_optimizer_step_post_hook

    from ..engine.comfyui.sampling import encode_prompt

    latents = [{"samples": demo.vae.encode(image[None])} for image in pictures(case)]
    positive = [encode_prompt(demo.clip, CAPTION.format(n)) for n in range(len(latents))]
    given = {
        "batch_size": case.batch, "steps": case.steps + 1, "grad_accumulation_steps": 1,
        "learning_rate": 1e-4, "rank": case.rank, "optimizer": "AdamW", "loss_function": "MSE",
        "seed": 0, "training_dtype": "fp32", "lora_dtype": "fp32", "quantized_backward": False,
        "algorithm": "LoRA", "gradient_checkpointing": case.checkpointing, "checkpoint_depth": 1,
        "offloading": False, "existing_lora": "[None]", "bucket_mode": False,
        "bypass_mode": case.who == "bypass",
    }  # fmt: skip
    lists = {name: [value] for name, value in given.items()}
    meter = Meter(case)

    # Core tells of no step; the optimizer's own hook does.
    handle = register_optimizer_step_post_hook(lambda *_: meter.step())
    try:
        return taken(lambda: TrainLoraNode.execute([model], latents, positive, **lists), meter)
    finally:
        handle.remove()


def bare(case: Case, weights: dict[str, Any], shape: Any) -> dict[str, float]:
    """The same step in plain PyTorch."""
    import torch

    from ._flux import BareFlux

    model = BareFlux(weights, shape, case.rank)
    meter = Meter(case)
    optimizer = torch.optim.AdamW(model.parameters, 1e-4, fused=True)
    side = case.side // 8
    generator = torch.Generator().manual_seed(0)

    def draw(*size: int) -> torch.Tensor:
        return torch.randn(size, generator=generator)

    def run() -> None:
        for _ in range(case.steps + 1):
            clean, noise = draw(2, case.batch, 16, side, side)
            sigma = draw(case.batch).sigmoid()
            mix = sigma[:, None, None, None]
            text, pooled = draw(case.batch, 77, shape.text), draw(case.batch, shape.pooled)
            noised = (1 - mix) * clean + mix * noise
            velocity = model.velocity(noised, text, pooled, sigma, 1.0)
            optimizer.zero_grad(set_to_none=True)
            (velocity - (noise - clean)).square().mean().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters, 1.0)
            optimizer.step()
            meter.step()

    return taken(run, meter)


def taken(run: Callable[[], Any], meter: Meter) -> dict[str, float]:
    with contextlib.suppress(EnoughSteps):
        run()
    return meter.figures()


def agreement() -> float:
    """How far the plain step's velocity is from that of ComfyUI's model, relative."""
    import comfy.sd
    import torch

    from ._flux import BareFlux, Shape, random_flux

    shape = Shape(256, 1, 2, text=64, pooled=32)
    weights = random_flux(shape)
    generator = torch.Generator().manual_seed(1)
    x, text = torch.randn(2, 16, 8, 12, generator=generator), torch.randn(2, 5, 64)
    pooled, sigma = torch.randn(2, 32, generator=generator), torch.tensor([0.3, 0.8])
    with torch.inference_mode():
        model = comfy.sd.load_diffusion_model_state_dict({k: v.clone() for k, v in weights.items()})
        flux = model.model.diffusion_model
        theirs = flux(x, sigma, text, pooled, torch.full((2,), 1.0))
    with torch.no_grad():
        ours = BareFlux(weights, shape, 2).velocity(x, text, pooled, sigma, 1.0)
    return float((ours - theirs).norm() / theirs.norm())
