"""What the trainer says of a studio whose model edits."""

from __future__ import annotations

import pytest

from facet.engine.demo.models import DemoModels
from facet.engine.families.modes import ReferenceMode
from facet.nodes.training.trainer import what_it_learns
from harness.studios import studio_of


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (ReferenceMode.REFERENCE_LATENTS, "edits images (reference_mode reference_latents)"),
        (ReferenceMode.IMG2IMG, ""),
        # A Flux file does not say whether it edits.
        (ReferenceMode.AUTO, ""),
    ],
)
def test_only_a_model_that_edits_is_spoken_of(
    demo_models: DemoModels, mode: ReferenceMode, told: str
) -> None:
    text = what_it_learns(studio_of(demo_models, mode))
    assert told in text and bool(text) is bool(told)
