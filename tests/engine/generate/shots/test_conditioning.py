"""How a model is shown the original."""

from __future__ import annotations

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode, resolve_mode
from facet.engine.generate.shots.conditioning import reference_for
from facet.engine.generate.shots.gates import Gates, Thresholds
from facet.engine.generate.shots.make import plain_shoot
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest
from facet.engine.generate.shots.remedies import RetryRules
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.studio import Studio


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture
def ada() -> Character:
    return Character("Ada", "zqx", "person", Shot(demo_picture(5), Provenance("original")))


def test_auto_asks_when_the_file_does_not_say(models):
    with pytest.raises(ValueError, match=r"reference_latents.*Kontext"):
        resolve_mode(ReferenceMode.AUTO, models.model)


def test_a_model_without_reference_latents_is_named():
    import comfy.model_base

    from harness.small_models import small_unet

    with pytest.raises(ValueError, match="takes no reference latents"):
        resolve_mode(ReferenceMode.REFERENCE_LATENTS, small_unet(comfy.model_base.ModelType.EPS))


@torch.inference_mode()
def test_img2img_stays_nearer_to_the_original_with_less_denoise(models, ada, tmp_path):
    plan = ShotPlan((ShotRequest(Tags("close_up", "front")),))
    distances = []
    for denoise in (0.2, 0.9):
        studio = Studio(
            models.model,
            models.clip,
            models.vae,
            Sampling(128, 128, steps=8),
            ReferenceMode.IMG2IMG,
            denoise=denoise,
        )
        gates = Gates(ada.source.image, Thresholds())
        [shot] = plain_shoot(ada, studio, gates, 1, RetryRules(tries=1)).run(
            plan, ShotStore(tmp_path / str(denoise))
        )
        assert shot.provenance.prompt == "person, close-up, front view"
        distances.append(float((shot.image - ada.source.image).abs().mean()))
    assert distances[0] < 0.7 * distances[1]


@torch.inference_mode()
def test_a_patched_model_is_told_what_to_draw_and_shown_nothing(models, ada):
    key = "diffusion_model.img_in.weight"
    model = models.model.clone()
    model.add_patches({key: (torch.ones_like(dict(model.model.named_parameters())[key]),)}, 0.1)
    reference = reference_for(ReferenceMode.PATCHED_MODEL, model, models.vae, ada, 128, 128)
    assert reference.latents == ()
    assert reference.start is None
    assert reference.prompt(Tags(view="back")) == "person, back view"


def test_a_model_without_any_patch_is_no_patched_model(models, ada):
    with pytest.raises(ValueError, match=r"MODEL carries no patch.*IP-Adapter"):
        reference_for(ReferenceMode.PATCHED_MODEL, models.model, models.vae, ada, 128, 128)
