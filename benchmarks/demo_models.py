"""How well the demo models do on people they never saw, as the independent probe reads it.

python facet.py bench demo_models [--quick] [--json]
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import torch

from ..engine.comfyui.sampling import Conditioning, Sampling, encode_prompt, sample, with_reference
from ..engine.demo.models import RESOLUTION, DemoModels, load_models
from ..world.captions import reference_caption, text_caption
from ..world.dataset import PICTURES_PER_PERSON, scene_of
from ..world.identity import HELD_OUT_FROM, Identity
from ..world.probe import Probe, Reading
from ..world.render import Picture, render
from ..world.scene import EXPRESSIONS, FRAMINGS, Scene
from ._bars import bar

PEOPLE, PEOPLE_IN_WORDS, PEOPLE_WHEN_QUICK = 40, 120, 5
"""People get one picture from words each and six from their picture: more of them in words, so
that no bar is decided by a picture or two."""

GALLERY = 100
SAMPLING = Sampling(RESOLUTION, RESOLUTION, steps=20, cfg=3.0)
REFERENCE_VIEWS = (
    "front",
    "three_quarter_left",
    "three_quarter_right",
    "profile_left",
    "profile_right",
    "back",
)


def _tensor(pictures: Iterable[Picture]) -> torch.Tensor:
    return torch.from_numpy(np.stack([p.image for p in pictures])).float() / 255


def _right(reading: Reading, attribute: str, wanted: list[str], counted: list[bool]) -> float:
    hits = [a == b for a, b, c in zip(reading.names(attribute), wanted, counted, strict=True) if c]
    return sum(hits) / max(1, len(hits))


def vae_psnr(models: DemoModels, people: list[Identity]) -> float:
    """Mean PSNR in dB of pictures through the autoencoder and back."""
    values = []
    for person in people:
        picture = _tensor([render(person, scene_of(person.seed, 1), RESOLUTION)])
        again = models.vae.decode(models.vae.encode(picture)).cpu().float()
        values.append(-10 * torch.log10((again - picture).square().mean()).item())
    return sum(values) / len(values)


def landmark_figures(models: DemoModels, people: list[Identity]) -> dict[str, float]:
    """Mean landmark error in eye distances, and how often a face is rightly found or not found."""
    errors, right = [], []
    for person in people:
        for number in range(3):
            picture = render(person, scene_of(person.seed, number), RESOLUTION)
            found = models.face.detect_batch([picture.image])[0]
            right.append(bool(found) == (picture.face is not None))
            if not found or picture.face is None:
                continue
            corners = picture.face.landmarks_3d[[33, 263]]
            eyes = float(np.linalg.norm(corners[0] - corners[1]))
            error = np.linalg.norm(found[0]["landmarks_xy"] - picture.face.landmarks_xy, axis=1)
            errors.append(float(error.mean()) / eyes)
    return {"error": sum(errors) / max(1, len(errors)), "presence": sum(right) / len(right)}


def person_overlap(models: DemoModels, people: list[Identity]) -> dict[str, float]:
    """Mean intersection over union of people and their masks, five pictures each, by framing."""
    overlap: dict[str, list[float]] = {name: [] for name in FRAMINGS}
    for person in people:
        scenes = [scene_of(person.seed, number) for number in range(PICTURES_PER_PERSON)]
        pictures = [render(person, scene, RESOLUTION) for scene in scenes]
        masks = models.background.encode_image(_tensor(pictures)).cpu().numpy() > 0.5
        for scene, picture, mask in zip(scenes, pictures, masks, strict=True):
            shared, either = (mask & picture.mask).sum(), (mask | picture.mask).sum()
            overlap[scene.framing].append(float(shared / either))
    everything = [value for values in overlap.values() for value in values]
    return {"mean": sum(everything) / len(everything)} | {
        name: sum(values) / max(1, len(values)) for name, values in overlap.items()
    }


def _together(parts: list[Conditioning]) -> Conditioning:
    """Conditionings of single pictures as one of a batch."""
    pooled = torch.cat([part[0][1]["pooled_output"] for part in parts])
    return [[torch.cat([part[0][0] for part in parts]), {"pooled_output": pooled}]]


def _shoot(
    models: DemoModels, prompts: list[str], seed: int, references: torch.Tensor | None = None
) -> torch.Tensor:
    """One picture of each prompt, twenty at a time; `references` (N, H, W, 3) go with them."""
    made = []
    for at in range(0, len(prompts), 20):
        chosen = prompts[at : at + 20]
        positive = _together([encode_prompt(models.clip, prompt) for prompt in chosen])
        negative = encode_prompt(models.clip, "")
        if references is not None:
            # As in the first workflow, the negative does not see the reference.
            positive = with_reference(positive, [models.vae.encode(references[at : at + 20])])
        made.append(
            sample(
                models.model, models.vae, positive, negative, SAMPLING, seed + at, batch=len(chosen)
            )
        )
    return torch.cat(made)


def text_to_image(models: DemoModels, probe: Probe, people: list[Identity]) -> dict[str, float]:
    """Share of pictures from words that show each attribute that was asked for."""
    scenes = [Scene.sample(random.Random(f"text {p.seed}")) for p in people]
    prompts = [text_caption(p, s) for p, s in zip(people, scenes, strict=True)]
    reading = probe.read(_shoot(models, prompts, 0))
    every = [True] * len(people)
    faces = [s.view != "back" for s in scenes]
    counted = {
        "view": every,
        "framing": every,
        "top_colour": every,
        "place": every,
        "skin": every,
        "background_colour": [s.place == "plain" for s in scenes],
        "hair": [p.hair_style != "bald" for p in people],
        "hair_style": every,
        "glasses": faces,
        "beard": faces,
        "expression": faces,
    }
    sources = {
        name: [getattr(s if hasattr(s, name) else p, name) for p, s in zip(people, scenes)]
        for name in counted
    }
    return {k: _right(reading, k, sources[k], counted[k]) for k in counted}


def _reference_scenes(person: Identity) -> list[Scene]:
    rng = random.Random(f"reference {person.seed}")
    return [
        Scene.sample(
            rng,
            view=view,
            framing=rng.choice(("close_up", "medium")),
            expression=EXPRESSIONS[(person.seed + i) % len(EXPRESSIONS)],
        )
        for i, view in enumerate(REFERENCE_VIEWS)
    ]


def from_reference(models: DemoModels, probe: Probe, people: list[Identity]) -> dict[str, float]:
    """Obedience and likeness of pictures made from one front picture of each person."""
    gallery = [Identity.from_seed(HELD_OUT_FROM + i) for i in range(GALLERY)]
    originals = _tensor(render(p, scene_of(p.seed, 0), RESOLUTION) for p in gallery)
    known = probe.read(originals).embedding
    scenes = [scene for person in people for scene in _reference_scenes(person)]
    owner = torch.arange(len(people)).repeat_interleave(len(REFERENCE_VIEWS))
    made = _shoot(models, [reference_caption(s) for s in scenes], 1000, originals[owner])
    real = _tensor(render(people[i], s, RESOLUTION) for i, s in zip(owner, scenes, strict=True))
    reading, truth = probe.read(made), probe.read(real)
    own, other = known[owner], known[(owner + 37) % GALLERY]
    null = float((reading.embedding * other).sum(-1).mean())
    best = float((truth.embedding * own).sum(-1).mean())
    mean = float((reading.embedding * own).sum(-1).mean())
    nearest = (reading.embedding @ known.T).argmax(1)
    every, faces = [True] * len(scenes), [s.view != "back" for s in scenes]
    return {
        "view": _right(reading, "view", [s.view for s in scenes], every),
        "expression": _right(reading, "expression", [s.expression for s in scenes], faces),
        "expression_of_true_pictures": _right(
            truth, "expression", [s.expression for s in scenes], faces
        ),
        "likeness": (mean - null) / (best - null),
        "cosine": mean,
        "cosine_of_true_pictures": best,
        "cosine_of_strangers": null,
        "top1": float((nearest == owner).float().mean()),
        "top1_of_true_pictures": float(
            ((truth.embedding @ known.T).argmax(1) == owner).float().mean()
        ),
    }


def main(quick: bool = False) -> dict[str, Any]:
    """Figures and bars over held-out people."""
    count, in_words = (PEOPLE_WHEN_QUICK,) * 2 if quick else (PEOPLE, PEOPLE_IN_WORDS)
    everybody = [Identity.from_seed(HELD_OUT_FROM + i) for i in range(in_words)]
    people = everybody[:count]
    models, probe = load_models(), Probe()
    psnr = vae_psnr(models, people)
    face = landmark_figures(models, people)
    cut_out = person_overlap(models, everybody)
    words = text_to_image(models, probe, everybody)
    reference = from_reference(models, probe, people)
    of_many = partial(bar, judged=not quick)
    bars = {"vae_psnr_db": bar(round(float(psnr), 4), 28)}
    bars["landmark_error"] = bar(round(float(face["error"]), 4), 0.03, "lower")
    bars["person_overlap"] = bar(round(float(cut_out["mean"]), 4), 0.95)
    for name in ("view", "framing", "top_colour", "background_colour", "place", "skin", "hair"):
        bars[f"text_{name}"] = of_many(round(float(words[name]), 4), 0.9)
    for name in ("glasses", "beard", "hair_style"):
        bars[f"text_{name}"] = of_many(round(float(words[name]), 4), 0.7)
    bars["reference_view"] = of_many(round(float(reference["view"]), 4), 0.95)
    bars["reference_expression"] = of_many(round(float(reference["expression"]), 4), 0.8)
    bars["reference_likeness"] = of_many(round(float(reference["likeness"]), 4), 0.8)
    bars["reference_top1_of_100"] = of_many(round(float(reference["top1"]), 4), 0.7)
    return {
        "bars": bars,
        "people": len(people),
        "people_in_words": len(everybody),
        "face": face,
        "person": cut_out,
        "text": words,
        "reference": reference,
    }
