"""Trains the independent probe.

python facet.py world train_probe --out .facet/world --minutes 4
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from .dataset import PEOPLE, render_people
from .identity import HELD_OUT_FROM
from .labels import HEADS, labels_of, visible
from .probe import Probe, ProbeNet
from .recognise import Sample, identity_figures, recognition_loss, samples, train
from .run import PROBE_WEIGHTS, options

SEED, PEOPLE_PER_BATCH = 2024, 32


def main() -> None:
    """Train, export, and print held-out figures."""
    chosen = options("Train the probe.", 4)
    torch.manual_seed(SEED)
    pictures = render_people(chosen.out / "train.npy", 0, PEOPLE)
    net = ProbeNet().to(memory_format=torch.channels_last)

    def loss_of(sample: Sample) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            features = net(sample.pictures)
            scores = {k: head(features) for k, head in net.heads.items()}
            return recognition_loss(net.embed(features), scores, net.numbers(features), sample)

    matrices = [p for n, p in net.body.named_parameters() if p.ndim > 1 and n != "0.0.weight"]
    stream = samples(pictures, labels_of(0, PEOPLE), PEOPLE_PER_BATCH, np.random.default_rng(SEED))
    train(net, loss_of, stream, matrices, chosen.out / "probe.pt", chosen.minutes)
    PROBE_WEIGHTS.mkdir(exist_ok=True)
    state = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_file({k: v.contiguous() for k, v in state.items()}, PROBE_WEIGHTS / "probe.safetensors")

    held_out = render_people(chosen.out / "held_out.npy", HELD_OUT_FROM, 200)
    reading = Probe().read(held_out.reshape(-1, *held_out.shape[2:]))
    print(identity_figures(F.normalize(reading.embedding, dim=-1), 200, held_out.shape[1]))
    truth = labels_of(HELD_OUT_FROM, 200).classes
    for name in HEADS:
        seen = visible(name, truth).reshape(-1)
        right = (reading.classes[name] == truth[name].reshape(-1))[seen].mean()
        print(f"{name}: {right:.3f}")
