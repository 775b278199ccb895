from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Tags
from facet.engine.scoring.calibrate import Calibration, Interval, Scales, share
from facet.engine.scoring.evaluate import Candidate, Evaluation
from facet.engine.scoring.protocol import ATTRIBUTE, LEAK, TRIGGER
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.variant import variant
from facet.engine.vision.clothes import Garment
from harness.variants import changed


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


@pytest.fixture
def figures():
    """Gives a variant other metrics."""

    def given(one, identity, copies, views=1.0):
        return changed(
            one,
            identity=Interval(identity, identity - 0.1, identity + 0.1, 6),
            copies=share([number < 10 * copies for number in range(10)]),
            views=Interval(views, views, views, 6),
        )

    return given


@pytest.fixture
def material(make_full, character) -> Material:
    return Material(character, make_full())
