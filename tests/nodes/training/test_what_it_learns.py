"""What the trainer says of a studio whose model edits, or is distilled."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from facet.engine.demo.models import DemoModels
from facet.engine.families.modes import ReferenceMode
from facet.nodes.training.trainer import what_it_learns, what_it_loses
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


def test_a_distilled_model_is_spoken_of_with_what_to_train_instead(
    demo_models: DemoModels,
) -> None:
    studio = studio_of(demo_models, ReferenceMode.AUTO)
    assert what_it_loses(studio) == ""
    turbo = demo_models.model.clone()
    turbo.cached_patcher_init = (lambda path: None, ("/models/z_image_turbo_bf16.safetensors",))
    told = what_it_loses(replace(studio, model=turbo))
    assert told.startswith("z_image_turbo_bf16.safetensors is distilled: trained in it")
    assert "Train in Flux.1 dev, and connect this one to look_through." in told
    weight = next(iter(turbo.model.state_dict()))
    turbo.add_patches({weight: ("diff", (torch.zeros(1),))}, 1.0)
    assert "taken for a training adapter" in what_it_loses(replace(studio, model=turbo))
