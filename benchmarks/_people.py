"""The demo world's people, pictures of them from words, and the independent probe's verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..engine.comfyui.sampling import Sampling, encode_prompt, sample
from ..engine.demo.models import DemoModels
from ..world.captions import tags_of
from ..world.demo_people import FIRST
from ..world.identity import HELD_OUT_FROM, Identity
from ..world.probe import Probe
from ..world.render import render
from ..world.scene import Scene

TRIGGER = "zqx"
GALLERY = range(HELD_OUT_FROM + 8000, HELD_OUT_FROM + 8099)
UNSEEN_TOPS = ("jacket", "sweater", "dress")
UNSEEN_PLACES = ("beach", "city", "night")
VIEWS = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")


@dataclass(frozen=True)
class Yardstick:
    """Identity of pictures in given scenes: 0 for true pictures of strangers, 1 of the person.

    original: the probe's embedding (D,) of the person's picture.
    """

    original: torch.Tensor
    zero: float
    one: float

    @classmethod
    def of(cls, probe: Probe, number: int, picture: torch.Tensor, scenes: list[Scene]) -> Yardstick:
        """For demo person ``number``, whose ``picture`` is (H, W, 3), in ``scenes``."""
        return cls.beside(probe, number, probe.read(picture[None]).embedding[0], scenes)

    @classmethod
    def beside(
        cls, probe: Probe, number: int, original: torch.Tensor, scenes: list[Scene]
    ) -> Yardstick:
        """The same where what pictures are compared with, ``original`` (D,), is read already."""
        person = Identity.from_seed(FIRST + number)
        others = [Identity.from_seed(GALLERY[index]) for index in range(len(scenes))]
        strangers = cosines(probe, others, scenes, original)
        true = cosines(probe, [person] * len(scenes), scenes, original)
        return cls(original, float(strangers.median()), float(true.median()))

    def identity(self, embeddings: torch.Tensor) -> float:
        """Of the pictures whose ``embeddings`` (N, D) are the probe's."""
        return float(self.each(embeddings).median())

    def each(self, embeddings: torch.Tensor) -> torch.Tensor:
        """The same for every one of the pictures: (N,)."""
        return (embeddings @ self.original - self.zero) / (self.one - self.zero)


def unseen_scene(rng: random.Random, index: int) -> Scene:
    """A scene with clothes and a place that no shot plan has."""
    return Scene.sample(
        rng,
        view=VIEWS[index % len(VIEWS)],
        top=rng.choice(UNSEEN_TOPS),
        place=rng.choice(UNSEEN_PLACES),
        lighting="natural",
    )


def asked(
    model: Any, models: DemoModels, sampling: Sampling, who: str, scenes: Sequence[Scene]
) -> torch.Tensor:
    """Pictures (N, H, W, 3) of ``who`` in ``scenes``, from words alone."""
    negative = encode_prompt(models.clip, "")
    return torch.cat(
        [
            sample(
                model,
                models.vae,
                encode_prompt(models.clip, ", ".join([who, *tags_of(scene).phrases()])),
                negative,
                sampling,
                seed=1000 + index,
            )
            for index, scene in enumerate(scenes)
        ]
    )


def load_with_core(model: Any, path: Path) -> Any:
    """``model`` with the LoRA, by core's own node; RuntimeError when a key finds no place."""
    import logging

    import folder_paths
    import nodes

    complaints: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "lora key not loaded" in record.getMessage():
                complaints.append(record.getMessage())

    listener = Listener()
    logging.getLogger().addHandler(listener)
    folder_paths.add_model_folder_path("loras", str(path.parent))
    try:
        (loaded,) = nodes.LoraLoaderModelOnly().load_lora_model_only(model, path.name, 1.0)
    finally:
        logging.getLogger().removeHandler(listener)
    if complaints:
        raise RuntimeError(f"Core's loader left {len(complaints)} keys: {complaints[0]}")
    return loaded


def cosines(
    probe: Probe, people: list[Identity], scenes: list[Scene], original: torch.Tensor
) -> torch.Tensor:
    """Cosines (N,) of true pictures of ``people`` in ``scenes`` with the original."""
    drawn = [render(person, scene, 128).image for person, scene in zip(people, scenes, strict=True)]
    pictures = torch.stack([torch.from_numpy(image.copy()) for image in drawn])
    return probe.read(pictures.to(torch.float32) / 255).embedding @ original


def known_look(probe: Probe, seed: int) -> torch.Tensor:
    """What the probe makes of a person: the mean embedding (D,) of five true pictures."""
    identity, rng = Identity.from_seed(seed), random.Random(seed)
    scenes = [Scene.sample(rng, view=view, lighting="natural") for view in VIEWS]
    drawn = [torch.from_numpy(render(identity, scene, 128).image.copy()) for scene in scenes]
    embeddings = probe.read(torch.stack(drawn).to(torch.float32) / 255).embedding
    return torch.nn.functional.normalize(embeddings.mean(0), dim=0)
