"""Captions reach the model as they would in sampling."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from facet.engine.training.data.conditioning import encode_captions, groups, joined, model_conds
from facet.engine.training.settings import TrainingSettings
from harness.families import Family, conditioning
from harness.small_models import SmallModels


def conds_of(models: SmallModels, caption: str) -> dict[str, object]:
    options = encode_captions(models.clip, [caption])[caption]
    return model_conds(models.model.model, options, torch.zeros(1, 16, 8, 8), 1.0)


def test_the_prompt_is_what_core_encodes(models: SmallModels) -> None:
    import nodes

    given = joined([conds_of(models, "zqx person, smiling")])
    with torch.inference_mode():
        ((tokens, options),) = nodes.CLIPTextEncode().encode(models.clip, "zqx person, smiling")[0]
    assert torch.equal(given["c_crossattn"], tokens)
    assert torch.equal(given["y"], options["pooled_output"])
    assert not given["c_crossattn"].is_inference()


@pytest.mark.parametrize(
    ("narrow", "guidance"),
    [("Flux", 1.0), ("Flux2 dev", 1.0), ("Chroma", 0.0)],
    indirect=["narrow"],
)
def test_guidance_is_one_where_it_is_distilled_and_no_reference_is_shown(
    narrow: tuple[Family, Any], guidance: float
) -> None:
    """ComfyUI would tell Flux 3.5, which a LoRA for Flux dev is not trained at; Chroma reads one
    too, and is both trained and sampled at none."""
    family, patcher = narrow
    (options,) = conditioning(family, 1, narrow=True)
    latent = torch.zeros(1, *family.latent, 8, 8)
    given = joined([model_conds(patcher.model, options, latent, TrainingSettings().guidance)])
    assert given["guidance"].tolist() == [guidance]
    assert "ref_latents" not in given


def test_prompts_of_one_length_go_together(models: SmallModels) -> None:
    captions = ["one", "two " * 100, "three", "", "four " * 100]
    assert groups([conds_of(models, caption) for caption in captions]) == [[0, 2, 3], [1, 4]]


def test_each_caption_is_encoded_once(models: SmallModels) -> None:
    assert list(encode_captions(models.clip, ["a", "b", "a"])) == ["a", "b"]
