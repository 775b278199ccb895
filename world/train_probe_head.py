"""Trains the probe's closer look at the head; after train_probe.

python facet.py world train_probe_head --out .facet/world --minutes 8
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from .convnet import degrade, to_tensor
from .dataset import PEOPLE, PICTURES_PER_PERSON, render_people
from .identity import HELD_OUT_FROM
from .labels import labels_of, visible
from .probe import CLOSE_LOOK, HeadNet, Probe, head_crops
from .recognise import Sample, train
from .run import PROBE_WEIGHTS, options

SEED, BATCH = 2025, 96


def crops(pictures: np.ndarray, rng: np.random.Generator) -> Iterator[Sample]:
    """Endless batches of degraded head crops with the attributes of the closer look."""
    labels = labels_of(0, len(pictures)).classes
    seen = {name: visible(name, labels) for name in CLOSE_LOOK}
    while True:
        who = np.sort(rng.integers(0, len(pictures), BATCH))
        at = (who, rng.integers(0, PICTURES_PER_PERSON, BATCH))
        whole = degrade(to_tensor(pictures[at]), rng)
        framing = torch.from_numpy(labels["framing"][at])
        yield Sample(
            head_crops(whole, framing).contiguous(memory_format=torch.channels_last),
            torch.from_numpy(who),
            {k: torch.from_numpy(labels[k][at]) for k in CLOSE_LOOK},
            {k: torch.from_numpy(seen[k][at]) for k in CLOSE_LOOK},
            torch.empty(0),
        )


def main() -> None:
    """Train, export, and print held-out figures."""
    chosen = options("Train the probe's closer look.", 8)
    torch.manual_seed(SEED)
    pictures = render_people(chosen.out / "train.npy", 0, PEOPLE)
    net = HeadNet().to(memory_format=torch.channels_last)

    def loss_of(sample: Sample) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            scores = net(sample.pictures)
        loss = torch.zeros(())
        for name, score in scores.items():
            each = F.cross_entropy(score.float(), sample.classes[name], reduction="none")
            shown = sample.seen[name].float()
            loss = loss + (each * shown).sum() / shown.sum().clamp(min=1)
        return loss / len(scores)

    matrices = [p for n, p in net.body.named_parameters() if p.ndim > 1 and n != "0.0.weight"]
    stream = crops(pictures, np.random.default_rng(SEED))
    train(net, loss_of, stream, matrices, chosen.out / "probe_head.pt", chosen.minutes)
    PROBE_WEIGHTS.mkdir(exist_ok=True)
    state = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    path = PROBE_WEIGHTS / "probe_head.safetensors"
    save_file({k: v.contiguous() for k, v in state.items()}, path)

    held_out = render_people(chosen.out / "held_out.npy", HELD_OUT_FROM, 200)
    reading = Probe().read(held_out.reshape(-1, *held_out.shape[2:]))
    truth = labels_of(HELD_OUT_FROM, 200).classes
    for name in CLOSE_LOOK:
        shown = visible(name, truth).reshape(-1)
        right = (reading.classes[name] == truth[name].reshape(-1))[shown].mean()
        print(f"{name}: {right:.3f}")
