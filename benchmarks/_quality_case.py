"""One person learned by one trainer, in a process of its own (`_process.py`).

Both train the demo model at batch 1 on the same pictures and captions, with the same rank, steps,
learning rate and fp32; the rest is each one's own default. The rate is core's better one of 1e-3
and 3e-3, tried on somebody who is not measured here. Gradient checkpointing is core's default:
autograd refuses Flux in core without it. Facet lowers its learning rate to nothing over the steps
it is told, so it is trained anew for each number of steps. Core's rate stays as it is and a short
run is the beginning of a longer one, so one run is read on the way. Seconds are processor time on
one thread, from the pictures to the LoRA, encoding included.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..engine.comfyui.sampling import Sampling, encode_prompt
from ..engine.core.character import Character, Provenance, Shot
from ..engine.demo.models import DemoModels, load_models
from ..engine.demo.people import demo_picture
from ..engine.training.run import train
from ..engine.training.settings import TrainingSettings
from ..world.captions import tags_of
from ..world.demo_people import FIRST
from ..world.identity import Identity
from ..world.probe import Probe
from ..world.render import render
from ..world.scene import PLACES, TOPS, Scene
from ._people import (
    TRIGGER,
    UNSEEN_PLACES,
    UNSEEN_TOPS,
    VIEWS,
    Yardstick,
    asked,
    load_with_core,
    unseen_scene,
)

RANK, LEARNING_RATE = 16, 3e-3
CALLED = f"{TRIGGER} person"


@dataclass(frozen=True)
class Case:
    """who: facet or core; person: a demo person; steps: what is read, ascending."""

    who: str
    person: int
    seed: int
    steps: list[int]
    pictures: int
    prompts: int


def measure(case: Case, folder: Path) -> list[dict[str, float]]:
    """Identity and seconds after each of ``case.steps``."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        models, probe = load_models(), Probe()
        scenes = [unseen_scene(random.Random(index), index) for index in range(case.prompts)]
        yardstick = Yardstick.of(probe, case.person, demo_picture(case.person), scenes)
        trainer = facet if case.who == "facet" else core
        read = []
        for steps, path, seconds in trainer(case, models, folder):
            model = load_with_core(models.model, path)
            pictures = asked(model, models, Sampling(128, 128), CALLED, scenes)
            identity = yardstick.identity(probe.read(pictures).embedding)
            read.append({"steps": steps, "identity": identity, "seconds": seconds})
        return read


def dataset(case: Case) -> list[Shot]:
    """True pictures of the person, the renderer's own, in clothes and places that are not asked
    for afterwards."""
    person, rng = Identity.from_seed(FIRST + case.person), random.Random(case.seed)
    shots = []
    for index in range(case.pictures):
        scene = Scene.sample(
            rng,
            view=VIEWS[index % len(VIEWS)],
            top=rng.choice([top for top in TOPS if top not in UNSEEN_TOPS]),
            place=rng.choice([place for place in PLACES if place not in UNSEEN_PLACES]),
        )
        tags = tags_of(scene)
        image = torch.from_numpy(render(person, scene, 128).image.copy()).to(torch.float32) / 255
        caption = ", ".join([CALLED, *tags.phrases()])
        shots.append(Shot(image, Provenance("generated"), tags=tags, caption=caption))
    return shots


Learned = list[tuple[int, Path, float]]


def facet(case: Case, models: DemoModels, folder: Path) -> Learned:
    """Steps, LoRA and seconds of this pack's trainer, through the same call as its node."""
    shots = dataset(case)
    character = Character("Somebody", TRIGGER, "person", shots[0], tuple(shots[1:]))
    learned = []
    for steps in case.steps:
        begin = time.process_time()
        settings = TrainingSettings(
            steps=steps,
            rank=RANK,
            learning_rate=LEARNING_RATE,
            seed=case.seed,
            precision="fp32",
            checkpoint_every=0,
        )
        trained = train(
            models.model,
            models.clip,
            models.vae,
            character,
            settings,
            folder / f"{steps}",
            f"steps{steps}",
            folder / "loras",
        )
        learned.append((steps, trained.lora, time.process_time() - begin))
    return learned


def core(case: Case, models: DemoModels, folder: Path) -> Learned:
    """Steps, LoRA and seconds of ComfyUI's TrainLoraNode."""
    import comfy.sd
    import comfy.utils
    from comfy_extras.nodes_train import TrainLoraNode
    from torch.optim.optimizer import register_optimizer_step_post_hook

    # It loads its model a second time, from the file.
    weights = models.model.model.diffusion_model.state_dict()
    comfy.utils.save_torch_file(weights, str(folder / "flux.safetensors"))
    model = comfy.sd.load_diffusion_model(str(folder / "flux.safetensors"))
    shots = dataset(case)
    marks: dict[int, tuple[list[torch.Tensor], float]] = {}
    begin = time.process_time()
    done = 0

    def look(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        nonlocal done
        done += 1
        if done in case.steps:
            weights = [w.detach().clone() for g in optimizer.param_groups for w in g["params"]]
            marks[done] = (weights, time.process_time() - begin)

    latents = [{"samples": models.vae.encode(shot.image[None])} for shot in shots]
    positive = [encode_prompt(models.clip, shot.caption) for shot in shots]
    given = {
        "batch_size": 1, "steps": max(case.steps), "grad_accumulation_steps": 1,
        "learning_rate": LEARNING_RATE, "rank": RANK, "optimizer": "AdamW", "loss_function": "MSE",
        "seed": case.seed, "training_dtype": "fp32", "lora_dtype": "fp32",
        "quantized_backward": False, "algorithm": "LoRA", "gradient_checkpointing": True,
        "checkpoint_depth": 1, "offloading": False, "existing_lora": "[None]",
        "bucket_mode": False, "bypass_mode": False,
    }  # fmt: skip
    lists = {name: [value] for name, value in given.items()}
    handle = register_optimizer_step_post_hook(look)
    try:
        final = TrainLoraNode.execute([model], latents, positive, **lists).args[0]
    finally:
        handle.remove()
    last, _ = marks[max(case.steps)]
    # The optimizer has the weights in the order of the node's answer, and no names.
    if not all(torch.equal(a, b) for a, b in zip(final.values(), last, strict=True)):
        raise RuntimeError("Core's LoRA has other weights than its optimizer.")
    learned = []
    for steps, (weights, seconds) in marks.items():
        path = folder / "loras" / f"core_{steps}.safetensors"
        path.parent.mkdir(exist_ok=True)
        comfy.utils.save_torch_file(dict(zip(final, weights, strict=True)), str(path))
        learned.append((steps, path, seconds))
    return learned
