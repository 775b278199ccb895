import random
from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.scoring.calibrate import Calibration, Scales
from facet.engine.scoring.evaluate import OFF, Evaluation
from facet.engine.scoring.protocol import ATTRIBUTE, LEAK, TRIGGER, prompt_suite
from facet.engine.scoring.sample import ScoredSample
from facet.engine.scoring.sampler import Candidate
from facet.engine.scoring.score import ScoreCard
from facet.engine.scoring.variant import variant
from facet.engine.vision.clothes import Garment
from facet.engine.vision.copies import Nearest


def noise(seed: int, height: int = 48, width: int = 32) -> torch.Tensor:
    """A picture of soft blobs, unlike that of any other seed."""
    coarse = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    size = (height, width)
    return (
        torch.nn.functional.interpolate(coarse, size, mode="bicubic")[0].movedim(0, -1).clamp(0, 1)
    )


@pytest.fixture
def character() -> Character:
    shots = tuple(
        Shot(
            noise(number),
            Provenance("generated"),
            caption="zqx person, wearing orange sweater and blue trousers, on a beach",
            tags=Tags(view="front", outfit="teal hoodie and red shorts", background="in a park"),
        )
        for number in range(1, 6)
    )
    return Character("Ada <b>", "zqx", "person", Shot(noise(0), Provenance("original")), shots)


@pytest.fixture
def make_evaluation(character):
    """An evaluation with cosines that are given: what a report has to cope with."""

    def make(on=0.7, off=0.1, own=0.8, copied=0, faces=True, count=6, notes=()) -> Evaluation:
        rng = random.Random(0)
        prompts = prompt_suite(character, count, 3)
        null = tuple(off + rng.uniform(-0.05, 0.05) for _ in prompts)
        positives = tuple(own + rng.uniform(-0.05, 0.05) for _ in range(6))
        calibration = Calibration(null, positives)
        scales = Scales(calibration, calibration, {})

        def samples(cosines, copies=0):
            return tuple(
                ScoredSample(
                    prompt=prompt,
                    text=prompt.text("zqx person"),
                    similarity=cosine,
                    score=calibration.score(cosine),
                    yaw=prompt.tags.yaw + rng.uniform(-9, 9) if faces and prompt.tags.yaw else None,
                    nearest=Nearest(character.shots[0].hash, 12.0, 0.4, 0.6, number < copies),
                    to_set=cosine,
                )
                for number, (prompt, cosine) in enumerate(zip(prompts, cosines, strict=False))
            )

        without = variant(OFF, samples(null), scales, faces)
        tried = tuple(
            variant(
                f"step {step} at strength 1",
                samples([on + rng.uniform(-0.05, 0.05) for _ in prompts], copied),
                scales,
                faces,
                step=step,
                strength=1.0,
            )
            for step in (100, 200)
        )
        card = ScoreCard(
            character.name,
            "zqx",
            "person",
            character.hash,
            calibration,
            without,
            tried,
            tried[1],
            None,
            tuple(notes),
            {"steps": 20, "cfg": 3.0},
            0.7,
        )
        pictures = {
            one.label: [noise(40 + number) for number in range(count)] for one in (without, *tried)
        }
        return Evaluation(card, Candidate("step 200", 1.0, dict), pictures)

    return make


@pytest.fixture
def make_full(make_evaluation):
    """An evaluation of steps at strengths, with every kind of picture."""

    def make(steps=(100, 200), strengths=(0.5, 1.0), count=6, image=None, **more) -> Evaluation:
        plain = make_evaluation(count=count, **more)
        card = plain.card
        null, own = card.calibration.null, card.calibration.positives
        calibration = Calibration(null, own)
        scales = Scales(calibration, calibration, {})

        def probes(samples):
            kinds = ((ATTRIBUTE, "with a hat"), (TRIGGER, ""), (TRIGGER, " "), (TRIGGER, "  "))
            kinds = (*kinds, (LEAK, "standing"), (LEAK, "sitting"))
            for number, (kind, detail) in enumerate(kinds):
                prompt = replace(samples[0].prompt, kind=kind, seed=1000 + number, words=detail)
                if kind == TRIGGER:
                    prompt = replace(prompt, tags=Tags(), words="")
                yield replace(
                    samples[0],
                    prompt=prompt,
                    face=True,
                    yaw=4.0 * number,
                    expression=(0.1 * number, 0.5),
                    wears_own=kind == LEAK and detail == "standing",
                )

        def measured(label, samples, off=(), **given):
            seen = tuple(
                replace(one, face=one.yaw is not None, sharpness=0.1, chroma=20.0)
                for one in samples
            )
            return variant(label, (*seen, *probes(seen)), scales, True, off, **given)

        off = measured(card.off.label, card.off.samples)
        tried = tuple(
            measured(
                f"step {step} at strength {strength:g}",
                card.tried[number % 2].samples,
                off.samples,
                step=step,
                strength=strength,
            )
            for number, step in enumerate(steps)
            for strength in strengths
        )
        pictures = {
            one.label: [torch.rand(48, 32, 3) if image is None else image for _ in one.samples]
            for one in (off, *tried)
        }
        full = replace(
            card,
            off=off,
            tried=tried,
            best=tried[-1],
            garment=Garment((40.0, 30.0, -20.0), "teal hoodie <and> shorts", 0.8),
        )
        return Evaluation(full, Candidate("step", 1.0, dict), pictures)

    return make
