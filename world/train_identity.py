"""Trains the identity encoder.

python facet.py world train_identity --out .facet/world --minutes 5
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from .convnet import to_tensor
from .dataset import PEOPLE, render_people
from .identity import HELD_OUT_FROM
from .labels import labels_of
from .recognise import Sample, identity_figures, recognition_loss, samples, train
from .run import WEIGHTS, options
from .vision import IdentityEncoder

SEED, PEOPLE_PER_BATCH = 7, 40


def main() -> None:
    """Train, export, and print held-out figures."""
    chosen = options("Train the identity encoder.", 5)
    torch.manual_seed(SEED)
    pictures = render_people(chosen.out / "train.npy", 0, PEOPLE)
    net = IdentityEncoder()

    def loss_of(sample: Sample) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            hidden = net(sample.pictures.contiguous())
            scores = {k: head(hidden) for k, head in net.heads.items()}
            return recognition_loss(
                net.visual_projection(hidden), scores, net.numbers(hidden), sample
            )

    matrices = [p for n, p in net.vision_model.named_parameters() if ".layers." in n and p.ndim > 1]
    stream = samples(pictures, labels_of(0, PEOPLE), PEOPLE_PER_BATCH, np.random.default_rng(SEED))
    train(net, loss_of, stream, matrices, chosen.out / "identity.pt", chosen.minutes)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    save_file(net.exported(), WEIGHTS / "identity.safetensors")

    held_out = render_people(chosen.out / "held_out.npy", HELD_OUT_FROM, 200)
    with torch.inference_mode():
        parts = to_tensor(held_out.reshape(-1, *held_out.shape[2:])).split(100)
        embedding = torch.cat([net.visual_projection(net(part.contiguous())) for part in parts])
    print(identity_figures(F.normalize(embedding, dim=-1), 200, held_out.shape[1]))
