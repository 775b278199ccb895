"""Trains the background-removal model.

python facet.py world train_person --out .facet/world --minutes 8
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from ..engine.demo.person import DemoBackgroundModel, PersonFinder
from .convnet import roughen, to_tensor
from .dataset import PICTURES_PER_PERSON, render_people, scene_of
from .identity import HELD_OUT_FROM
from .optimiser import Muon, stable_decay
from .run import WEIGHTS, Checkpoint, Clock, options
from .scene import FRAMINGS

SEED, BATCH = 17, 32
PEOPLE, HELD_OUT = 3_000, 200
HALF_SIZE_UNTIL = 0.45
"""Share of the time spent on pictures of half the side, which cost a quarter."""

MUON_RATE, ADAM_RATE = 0.02, 3e-3


def other_backgrounds(x: Tensor, mask: Tensor, rng: np.random.Generator) -> Tensor:
    """The first eighth of the people before a flat colour, the second before another's place.

    x: (N, 3, S, S) in -1..1, mask: (N, 1, S, S) in 0..1.
    """
    part = len(x) // 8
    behind = x.clone()
    behind[:part] = torch.from_numpy(rng.uniform(-1, 1, (part, 3, 1, 1)).astype(np.float32))
    # The people who stand in the borrowed places are not the one to be found: they are cut out.
    at = slice(part, 2 * part)
    lent, holes = x.roll(-part, 0)[at], mask.roll(-part, 0)[at]
    mean = (lent * (1 - holes)).sum((2, 3), True) / (1 - holes).sum((2, 3), True).clamp(min=1)
    behind[at] = lent + (mean - lent) * holes
    return x * mask + behind * (1 - mask)


def pairs(x: Tensor, mask: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`count` pictures of two people beside each other in the place of the last ones."""

    def beside(one: Tensor, other: Tensor) -> Tensor:
        both = F.avg_pool2d(torch.cat([one, other], 3), 2)
        rest = one.shape[2] - both.shape[2]
        return F.pad(both, (0, 0, rest // 2, rest - rest // 2))

    kept = len(x) - count
    return tuple(  # type: ignore[return-value]
        torch.cat([part[:kept], beside(part[kept:], part[:count])]) for part in (x, mask)
    )


def moved(x: Tensor, mask: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mirrored, enlarged, made smaller, shifted, and cut to other shapes; 0 outside, as padding."""
    count, side = len(x), x.shape[2]
    reach = np.where(rng.random(count) < 0.5, 1.0, np.exp(rng.uniform(-0.6, 0.35, count)))
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0, 0], theta[:, 1, 1] = reach * flip, reach
    theta[:, :, 2] = rng.uniform(-0.25, 0.25, (count, 2)) * (reach != 1)[:, None]
    both = torch.cat([x, mask], 1)
    both = F.grid_sample(
        both, F.affine_grid(torch.from_numpy(theta), list(both.shape), False), align_corners=False
    )
    for row, cut, axis in zip(both, rng.random(count), rng.random(count)):
        if cut < 0.35:
            edge = round(side * cut / 0.35 * 0.25)
            strips = row if axis < 0.5 else row.transpose(1, 2)
            strips[:, :edge] = strips[:, side - edge :] = 0
    return both[:, :3], both[:, 3:]


def batch_of(pictures: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Augmented pictures (32, 3, 128, 128) in -1..1 and masks (32, 1, 128, 128) in 0..1.

    pictures: (N, 128, 128, 4) uint8, the mask as the fourth channel.
    """
    drawn = to_tensor(pictures[rng.choice(len(pictures), BATCH, replace=False)])
    x, mask = drawn[:, :3], (drawn[:, 3:] + 1) / 2
    x = roughen(other_backgrounds(x, mask, rng), rng)
    light = torch.from_numpy(rng.uniform(0.75, 1.2, (BATCH, 1, 1, 1)).astype(np.float32))
    x, mask = moved(*pairs(((x + 1) * light - 1).clamp(-1, 1), mask, BATCH // 10), rng)
    return x.contiguous(memory_format=torch.channels_last), mask


def loss_of(logits: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy plus one minus the soft Dice coefficient (Milletari et al. 2016, V-Net).

    logits, mask: (N, S, S).
    """
    found = logits.sigmoid()
    shared, both = (found * mask).sum((1, 2)), (found + mask).sum((1, 2))
    dice = (2 * shared + 1) / (both + 1)
    return F.binary_cross_entropy_with_logits(logits, mask) + (1 - dice).mean()


def figures(finder: PersonFinder, pictures: np.ndarray) -> dict[str, float]:
    """Mean intersection over union on the held-out people's pictures, by framing."""
    flat = pictures.reshape(-1, *pictures.shape[2:])
    image = (to_tensor(flat[..., :3]) + 1).movedim(1, -1) / 2
    truth = torch.from_numpy(flat[..., 3] > 0)
    found = DemoBackgroundModel(finder).find(image) > 0.5
    overlap = (found & truth).sum((1, 2)) / (found | truth).sum((1, 2)).clamp(min=1)
    framings = np.array(
        [
            scene_of(HELD_OUT_FROM + i, k).framing
            for i in range(len(pictures))
            for k in range(PICTURES_PER_PERSON)
        ]
    )
    return {
        name: round(float(overlap[torch.from_numpy(framings == name)].mean()), 4)
        for name in FRAMINGS
    }


def main() -> None:
    """Train, export, and print held-out figures."""
    chosen = options("Train the background-removal model.", 8)
    torch.manual_seed(SEED)
    workers = chosen.threads
    people = render_people(chosen.out / "person.npy", 0, PEOPLE, workers, masks=True)
    flat = people.reshape(-1, *people.shape[2:])
    finder = PersonFinder().to(memory_format=torch.channels_last)
    ends = {id(finder.enter[1][0].weight), id(finder.leave[0].weight)}
    matrices = [p for p in finder.parameters() if p.ndim == 4 and id(p) not in ends]
    rest = [p for p in finder.parameters() if p.ndim != 4 or id(p) in ends]
    muon = Muon(matrices, momentum=0.9)
    adam = torch.optim.AdamW(rest, lr=ADAM_RATE, weight_decay=0.0)
    clock, checkpoint = Clock(chosen.minutes), Checkpoint(chosen.out / "person.pt", 120)
    if state := checkpoint.load(clock):
        finder.load_state_dict(state["net"])
        adam.load_state_dict(state["adam"])
        muon.load_state_dict(state["muon"])
    rng = np.random.default_rng(SEED + clock.steps)
    while clock.progress < 1:
        rate = min(1.0, (clock.steps + 1) / 50) * stable_decay(clock.progress, 0.5) + 1e-3
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        x, mask = batch_of(flat, rng)
        if clock.progress < HALF_SIZE_UNTIL:
            x, mask = F.avg_pool2d(x, 2), F.avg_pool2d(mask, 2)
        loss = loss_of(finder(x), mask[:, 0])
        finder.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        muon.step(MUON_RATE * rate, weight_decay=0.01)
        clock.steps += 1
        if clock.steps % 50 == 0:
            print(f"{clock.steps} steps {clock.seconds:.0f} s loss {loss.item():.4f}", flush=True)
        if checkpoint.due() or clock.progress >= 1:
            checkpoint.save(
                {"net": finder.state_dict(), "adam": adam.state_dict(), "muon": muon.state_dict()},
                clock,
            )
    state = {k: v.half() if v.is_floating_point() else v for k, v in finder.state_dict().items()}
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in state.items()}, WEIGHTS / "person.safetensors")
    path = chosen.out / "person_held_out.npy"
    print(figures(finder, render_people(path, HELD_OUT_FROM, HELD_OUT, workers, masks=True)))
