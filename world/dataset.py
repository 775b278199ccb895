"""The training pictures: which person in which scene, and the rendering of many at once."""

from __future__ import annotations

import argparse
import json
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from .identity import HELD_OUT_FROM, Identity
from .render import render
from .scene import Scene

PICTURES_PER_PERSON = 5
PEOPLE = 10_000
SIZE = 128


def scene_of(person: int, number: int) -> Scene:
    """The scene of a person's picture; number 0 is a plain look at the camera.

    Picture 0 is a front view, close or medium, neutral or smiling: what people hand in as a
    reference. All others are drawn freely.
    """
    rng = random.Random(f"picture {person} {number}")
    if number:
        return Scene.sample(rng)
    return Scene.sample(
        rng,
        view="front",
        framing=rng.choice(("close_up", "close_up", "medium")),
        expression=rng.choice(("neutral", "smile")),
        pose="standing" if rng.random() < 0.7 else "waving",
        lighting=rng.choice(("natural", "natural", "natural", "warm")),
    )


def _render_person(person: int) -> np.ndarray:
    identity = Identity.from_seed(person)
    return np.stack(
        [render(identity, scene_of(person, k), SIZE).image for k in range(PICTURES_PER_PERSON)]
    )


def _render_person_and_mask(person: int) -> np.ndarray:
    identity = Identity.from_seed(person)
    pictures = [render(identity, scene_of(person, k), SIZE) for k in range(PICTURES_PER_PERSON)]
    return np.stack([np.dstack([p.image, p.mask.astype(np.uint8) * 255]) for p in pictures])


def render_people(
    path: Path, first: int, count: int, workers: int = 2, masks: bool = False
) -> np.ndarray:
    """Pictures (count, 5, 128, 128, 3) uint8 of people `first` .. `first + count - 1`.

    With `masks` a fourth channel is 255 where the person is. Written to `path` (.npy) as they are
    made; a finished file is opened as it is.
    """
    shape = (count, PICTURES_PER_PERSON, SIZE, SIZE, 4 if masks else 3)
    draw = _render_person_and_mask if masks else _render_person
    done = path.with_suffix(".json")
    wanted = {"first": first, "count": count}
    if done.exists() and json.loads(done.read_text()) == wanted:
        return np.load(path, mmap_mode="r")
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    with ProcessPoolExecutor(workers) as pool:
        people = range(first, first + count)
        for i, rows in enumerate(pool.map(draw, people, chunksize=20)):
            pictures[i] = rows
    pictures.flush()
    done.write_text(json.dumps(wanted))
    return np.load(path, mmap_mode="r")


def main() -> None:
    """Render the training people and 200 held-out ones."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".facet/world"))
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    render_people(options.out / "held_out.npy", HELD_OUT_FROM, 200)
    render_people(options.out / "train.npy", 0, options.people)
