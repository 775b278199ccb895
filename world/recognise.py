"""The training loop that the probe and the identity encoder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .convnet import contrastive, degrade, to_tensor
from .labels import HEADS, Labels, visible
from .optimiser import Muon, stable_decay
from .run import Checkpoint, Clock

PER_PERSON = 3
ATTRIBUTE_WEIGHT, NUMBER_WEIGHT = 0.3, 1.0


@dataclass(frozen=True)
class Sample:
    """Pictures (N, 3, H, W) in -1..1 of people (N,), with classes, their visibility, numbers."""

    pictures: Tensor
    person: Tensor
    classes: dict[str, Tensor]
    seen: dict[str, Tensor]
    numbers: Tensor


def samples(
    pictures: np.ndarray, labels: Labels, people: int, rng: np.random.Generator
) -> Iterator[Sample]:
    """Endless batches of `people` people with PER_PERSON degraded pictures each."""
    seen = {name: visible(name, labels.classes) for name in HEADS}
    while True:
        who = np.sort(rng.choice(len(pictures), people, replace=False))
        which = np.stack([rng.permutation(pictures.shape[1])[:PER_PERSON] for _ in who])
        rows = np.repeat(who, PER_PERSON)
        at = (rows, which.reshape(-1))
        yield Sample(
            degrade(to_tensor(pictures[at]), rng),
            torch.from_numpy(rows),
            {k: torch.from_numpy(v[at]) for k, v in labels.classes.items()},
            {k: torch.from_numpy(v[at]) for k, v in seen.items()},
            torch.from_numpy(labels.numbers[rows]),
        )


def recognition_loss(
    embedding: Tensor, scores: dict[str, Tensor], numbers: Tensor, sample: Sample
) -> Tensor:
    """Contrastive identity, attributes where they can be seen, continuous parameters."""
    loss = contrastive(F.normalize(embedding.float(), dim=-1), sample.person)
    for name, score in scores.items():
        each = F.cross_entropy(score.float(), sample.classes[name], reduction="none")
        seen = sample.seen[name].float()
        loss = loss + ATTRIBUTE_WEIGHT * (each * seen).sum() / seen.sum().clamp(min=1)
    return loss + NUMBER_WEIGHT * F.mse_loss(numbers.float(), sample.numbers)


def train(
    net: nn.Module,
    loss_of: Callable[[Sample], Tensor],
    stream: Iterator[Sample],
    matrices: list[nn.Parameter],
    checkpoint: Path,
    minutes: float,
    muon_rate: float = 0.02,
    adam_rate: float = 2e-3,
) -> None:
    """Train until the minutes are up; resumes from the checkpoint."""
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    muon = Muon(matrices, momentum=0.9)
    adam = torch.optim.AdamW(rest, lr=adam_rate, weight_decay=0.02, betas=(0.9, 0.98))
    clock, saved = Clock(minutes), Checkpoint(checkpoint, 120)
    if state := saved.load(clock):
        net.load_state_dict(state["net"])
        adam.load_state_dict(state["adam"])
        muon.load_state_dict(state["muon"])

    def save() -> None:
        saved.save(
            {"net": net.state_dict(), "adam": adam.state_dict(), "muon": muon.state_dict()}, clock
        )

    net.train()
    while clock.progress < 1:
        rate = min(1.0, (clock.steps + 1) / 50) * stable_decay(clock.progress, 0.1) + 1e-3
        for group in adam.param_groups:
            group["lr"] = adam_rate * rate
        loss = loss_of(next(stream))
        net.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        muon.step(muon_rate * rate, weight_decay=0.02)
        clock.steps += 1
        if clock.steps % 50 == 0:
            print(f"{clock.steps} steps {clock.seconds:.0f} s loss {loss.item():.3f}", flush=True)
        if saved.due():
            save()
    save()
    net.eval()


def identity_figures(embedding: Tensor, people: int, per_person: int) -> dict[str, float]:
    """Cosines of unit embeddings (people x per_person, D): same person, strangers, and top-1.

    Top-1: how often picture 1 of a person is nearest to picture 0 of the same one.
    """
    grouped = embedding.view(people, per_person, -1)
    similarity = embedding @ embedding.T
    person = torch.arange(people).repeat_interleave(per_person)
    same = (person[:, None] == person[None]) & ~torch.eye(len(person), dtype=torch.bool)
    other = person[:, None] != person[None]
    match = grouped[:, 1:].flatten(0, 1) @ grouped[:, 0].T
    truth = torch.arange(people).repeat_interleave(per_person - 1)
    return {
        "same": float(similarity[same].mean()),
        "strangers": float(similarity[other].mean()),
        "top1": float((match.argmax(1) == truth).float().mean()),
    }
