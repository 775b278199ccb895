"""Latents of the training pictures and the batches that the flow model sees."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .captions import training_caption
from .dataset import PICTURES_PER_PERSON, SIZE, scene_of
from .identity import Identity
from .render import set_up
from .tokens import batch_of, random_name, used_ids

REFERENCE_SHARE, FRONT_SHARE, TRIGGER_SHARE = 0.5, 0.6, 0.2
HEAD_WEIGHT, FACE_WEIGHT = 4.0, 10.0


@torch.inference_mode()
def encode(encoder: nn.Module, pictures: np.ndarray, path: Path, shrink: int) -> None:
    """Write the latents (people, 5, 16, side, side) float16 of pictures shrunk by `shrink`."""
    side = SIZE // 8 // shrink
    part = path.with_suffix(".part")
    shape = (len(pictures), PICTURES_PER_PERSON, 16, side, side)
    latents = np.lib.format.open_memmap(part, "w+", np.float16, shape)
    for at in range(0, len(pictures), 20):
        block = torch.from_numpy(np.array(pictures[at : at + 20])).flatten(0, 1).permute(0, 3, 1, 2)
        x = torch.nn.functional.avg_pool2d(block.float().div(255), shrink)
        with torch.autocast("cpu", torch.bfloat16):
            latent = encoder(x.contiguous(memory_format=torch.channels_last))
        latents[at : at + 20] = latent.float().numpy().reshape(latents[at : at + 20].shape)
    latents.flush()
    part.replace(path)


def _boxes(person: int) -> np.ndarray:
    identity = Identity.from_seed(person)
    rows = []
    for number in range(PICTURES_PER_PERSON):
        scene = scene_of(person, number)
        setup = set_up(identity, scene, SIZE)
        face = setup.face(scene.expression)
        points = np.zeros((1, 2)) if face is None else face.landmarks_xy
        rows.append([setup.head_box, [*points.min(0), *points.max(0)]])
    return np.array(rows, np.float32) / SIZE


def head_and_face_boxes(people: int, workers: int = 2) -> Tensor:
    """Boxes (people, 5, 2, 4) of heads and faces, x0, y0, x1, y1 in picture sides.

    The face of somebody seen from behind has no size.
    """
    with ProcessPoolExecutor(workers) as pool:
        return torch.from_numpy(np.stack(list(pool.map(_boxes, range(people), chunksize=100))))


@dataclass
class Batch:
    """One batch: latents, their references (or None), tokens with lengths, loss weights."""

    latents: Tensor
    reference: Tensor | None
    tokens: Tensor
    lengths: Tensor
    weights: Tensor


class Batches:
    """Draws batches of people in scenes with their captions."""

    def __init__(self, folder: Path, seed: int):
        self.folder = folder
        self.sizes = {8: self._load(8)}
        self.people = len(self.sizes[8])
        self.identities = [Identity.from_seed(i) for i in range(self.people)]
        self.scenes = [
            [scene_of(i, k) for k in range(PICTURES_PER_PERSON)] for i in range(self.people)
        ]
        self.boxes = head_and_face_boxes(self.people)
        self.used = used_ids()
        self._used = frozenset(self.used)
        self.rng = random.Random(seed)

    def _load(self, side: int) -> Tensor:
        return torch.from_numpy(np.load(self.folder / f"latents_{side}.npy"))

    def weights(self, boxes: Tensor, side: int) -> Tensor:
        """Loss weights (N, 1, side, side) with mean 1 from boxes (N, 2, 4).

        The head counts more, and the face in it most: what tells people and expressions apart
        is small.
        """
        low = torch.arange(side) / side
        x0, y0, x1, y1 = (b[..., None] for b in boxes.unbind(-1))
        columns = ((low + 1 / side).clamp(max=x1) - low.clamp(min=x0)).clamp(min=0)
        rows = ((low + 1 / side).clamp(max=y1) - low.clamp(min=y0)).clamp(min=0)
        inside = rows[..., None] * columns[..., None, :] * side**2
        head, face = inside.unbind(1)
        weight = 1 + (HEAD_WEIGHT - 1) * head + (FACE_WEIGHT - HEAD_WEIGHT) * face
        return (weight / weight.mean((1, 2), keepdim=True))[:, None]

    def draw(self, count: int, side: int) -> Batch:
        """`count` samples with latents of `side`."""
        if side not in self.sizes:
            self.sizes[side] = self._load(side)
        rng, latents = self.rng, self.sizes[side]
        by_reference = rng.random() < REFERENCE_SHARE
        targets, references, captions, boxes = [], [], [], []
        for _ in range(count):
            person, number = rng.randrange(len(latents)), rng.randrange(PICTURES_PER_PERSON)
            other = 0 if rng.random() < FRONT_SHARE else rng.randrange(PICTURES_PER_PERSON)
            if other == number:
                other = (number + rng.randrange(1, PICTURES_PER_PERSON)) % PICTURES_PER_PERSON
            identity, scene = self.identities[person], self.scenes[person][number]
            named = not by_reference and rng.random() < TRIGGER_SHARE
            text = training_caption(identity, scene, rng, by_reference, "?" if named else "")
            name = random_name(rng, self._used) if named and text else ()
            captions.append((text.removeprefix("? "), name))
            targets.append(latents[person, number])
            references.append(latents[person, other])
            boxes.append(self.boxes[person, number])
        tokens, lengths = batch_of(captions)
        reference = torch.stack(references).float() if by_reference else None
        return Batch(
            torch.stack(targets).float(),
            reference,
            tokens,
            lengths,
            self.weights(torch.stack(boxes), side),
        )
