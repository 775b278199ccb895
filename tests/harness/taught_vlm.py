"""A LLaVA of two layers that truly tells four places of the demo world apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from facet.engine.captions.asking import question
from facet.engine.captions.words import language
from facet.engine.core.character import quantise
from facet.world.captions import tags_of
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene

from . import vlms

PLACES = ("park", "night", "beach", "plain")
SIZE = 4 * vlms.PATCH
QUESTION = question("background", "person", language("en"))
Example = tuple[torch.Tensor, str]


def examples(first: int, count: int, seed: int) -> list[Example]:
    """Pictures (56, 56, 3) of people ``first`` and on, and the place that each is in, in words."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        scene = Scene.sample(
            rng, place=rng.choice(PLACES), background_colour="white", lighting="natural"
        )
        drawn = render(Identity.from_seed(first + number), scene, SIZE).image
        made.append((torch.as_tensor(drawn).float() / 255, tags_of(scene).background))
    return made


def taught_llava(folder: Path, steps: int = 160, count: int = 240) -> None:
    """A model in ``folder`` that answers ``QUESTION``; some seconds on one core."""
    model = vlms.llava(folder)
    inputs, labels = _prepared(folder, examples(0, count, seed=0))
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters())
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        rows = torch.randint(count, (16,), generator=generator)
        given = {name: value[rows] for name, value in inputs.items()}
        loss = model(**given, labels=labels[rows]).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval().save_pretrained(folder)


def _prepared(folder: Path, shown: Sequence[Example]) -> tuple[dict[str, Any], torch.Tensor]:
    """What the model is given, and the tokens it is to say: those of the answer alone."""
    from PIL import Image
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    said = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
    prompt = processor.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    pictures = [Image.fromarray(quantise(image).numpy()) for image, _ in shown]
    texts = [f"{prompt} {answer} </s>" for _, answer in shown]
    inputs = processor(images=pictures, text=texts, return_tensors="pt", padding=True)
    asked = processor(images=pictures[:1], text=[prompt], return_tensors="pt")["input_ids"]
    labels = inputs["input_ids"].clone()
    labels[:, : asked.shape[1]] = -100
    labels[inputs["attention_mask"] == 0] = -100
    return dict(inputs), labels
