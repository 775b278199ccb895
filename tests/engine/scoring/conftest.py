import random

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.scoring.calibrate import Calibration, Scales
from facet.engine.scoring.evaluate import OFF, Evaluation
from facet.engine.scoring.protocol import prompt_suite
from facet.engine.scoring.sample import ScoredSample
from facet.engine.scoring.sampler import Candidate
from facet.engine.scoring.score import ScoreCard
from facet.engine.scoring.variant import variant
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
