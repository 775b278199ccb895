"""Each way of showing the original, with each family's models, seen at the network's own input.

The person is Eileen Collins, in the public domain, as scikit-image ships her.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import comfy.samplers
import comfy.sd
import pytest
import torch
from comfy_extras.nodes_qwen import TextEncodeQwenImageEditPlus

from facet.engine.comfyui.sampling import CustomSampling, Sampling, sample
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.shots.conditioning import Reference, reference_for
from facet.engine.store.keys import key
from facet.engine.studio.sizes import fit
from harness.edit_models import EDIT_FAMILIES, edit_models
from harness.small_models import SmallModels

SIZE = (128, 96)
READERS = ("Flux Kontext", "Flux2 Klein", "Qwen-Image-Edit")
EDITS = [(name, ReferenceMode.REFERENCE_LATENTS) for name in READERS]
EDITS.append(("Qwen-Image-Edit", ReferenceMode.QWEN_EDIT))


@pytest.fixture(scope="module")
def photograph() -> torch.Tensor:
    from skimage import data

    return torch.from_numpy(data.astronaut()).float() / 255


def person(image: torch.Tensor) -> Character:
    return Character("Eileen", "zqx", "woman", Shot(image, Provenance("original")))


def pixel_space() -> Any:
    """ComfyUI's VAE of models without one: what it encodes keeps its size."""
    return comfy.sd.VAE(sd={"pixel_space_vae": torch.tensor(1.0)})


@dataclass
class Seen:
    """What the network was given at each call."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    contexts: list[torch.Tensor] = field(default_factory=list)
    references: list[list[torch.Tensor]] = field(default_factory=list)

    def __call__(self, _network: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.inputs.append(args[0].clone())
        self.contexts.append(named["context"].clone())
        self.references.append([one.clone() for one in named.get("ref_latents") or []])


def look(models: SmallModels, reference: Reference, model: Any = None, **more: Any) -> Seen:
    """One picture sampled in two steps; what its network saw."""
    model, seen = model or models.model, Seen()
    positive = reference.conditioning(models.clip, reference.prompt(Tags("close_up", "front")))
    negative = reference.conditioning(models.clip, "")
    handle = model.model.diffusion_model.register_forward_pre_hook(seen, with_kwargs=True)
    try:
        picture = sample(
            model,
            models.vae,
            positive,
            negative,
            Sampling(*SIZE, steps=2, cfg=2.0),
            7,
            latent=reference.start,
            denoise=reference.denoise,
            **more,
        )
    finally:
        handle.remove()
    assert picture.shape == (1, SIZE[1], SIZE[0], 3)
    assert torch.isfinite(picture).all()
    assert len(seen.inputs) >= 2
    return seen


def shown(name: str, mode: ReferenceMode, image: torch.Tensor, *more: torch.Tensor) -> Seen:
    models = edit_models(name)
    reference = reference_for(
        mode, models.model, models.vae, person(image), *SIZE, 0.5, more, "plain"
    )
    return look(models, reference)


@torch.inference_mode()
@pytest.mark.parametrize(("name", "mode"), EDITS)
def test_the_network_gets_the_original_in_every_call(name, mode, photograph):
    models = edit_models(name)
    latent = models.vae.encode(fit(photograph, *SIZE)[None])
    expected = models.model.model.process_latent_in(latent)
    for references in shown(name, mode, photograph).references:
        assert len(references) == 1
        for row in references[0]:
            assert torch.allclose(row, expected[0], atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize(("name", "mode"), [*EDITS[:2], EDITS[-1]])
def test_further_references_come_after_it_in_their_own_shape(name, mode, photograph):
    models = edit_models(name)
    more = (photograph[:400, :200], photograph.flip(1)[:, :, :1].expand(-1, -1, 3))
    for references in shown(name, mode, photograph, *more).references:
        assert len(references) == 3
        factor = SIZE[1] // references[0].shape[-2]
        sides = [(one.shape[-2] * factor, one.shape[-1] * factor) for one in references]
        assert sides[0] == (96, 128)
        assert sides[1][0] > 1.6 * sides[1][1]
        assert sides[2] == (112, 112)
        flipped = models.vae.encode(fit(more[1], 112, 112)[None])
        expected = models.model.model.process_latent_in(flipped)
        assert torch.allclose(references[2][0], expected[0], atol=1e-4)


@torch.inference_mode()
def test_qwens_text_encoder_sees_every_picture_on_both_sides(photograph):
    models = edit_models("Qwen-Image-Edit")
    mode = ReferenceMode.QWEN_EDIT

    def reference(*images: torch.Tensor) -> Reference:
        first, *more = images
        known = person(first)
        return reference_for(mode, models.model, models.vae, known, *SIZE, 1, more, "plain")

    one, two = reference(photograph), reference(photograph, photograph)
    [(words, _)] = one.conditioning(models.clip, "")
    [(others, _)] = reference(1 - photograph).conditioning(models.clip, "")
    [(longer, _)] = two.conditioning(models.clip, "")
    assert words.shape == others.shape
    assert (words - others).abs().mean() > 1e-3
    # 384 by 384 pixels are 14 by 14 patches of 28 pixels.
    assert longer.shape[1] - words.shape[1] >= 14 * 14
    seen = look(models, one)
    assert all(context.shape[1] >= 14 * 14 for context in seen.contexts)


@torch.inference_mode()
def test_qwen_edit_is_what_comfyuis_own_node_makes(photograph):
    models = edit_models("Qwen-Image-Edit")
    pictures = [photograph[:, :300], (1 - photograph)[:200]]
    reference = reference_for(
        ReferenceMode.QWEN_EDIT,
        models.model,
        pixel_space(),
        person(pictures[0]),
        *SIZE,
        references=pictures[1:],
    )
    [(ours, mine)] = reference.conditioning(models.clip, "turn around")
    core = TextEncodeQwenImageEditPlus.execute(
        models.clip, "turn around", None, *(picture[None] for picture in pictures)
    )
    [(theirs, _)] = core.args[0]
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert reference.dialect.name == "qwen_image_edit"
    assert len(mine["reference_latents"]) == 2


@torch.inference_mode()
def test_a_clip_that_cannot_see_is_named(photograph):
    models = edit_models("Qwen-Image-Edit")
    reference = reference_for(
        ReferenceMode.QWEN_EDIT, models.model, models.vae, person(photograph), *SIZE, style="plain"
    )
    for name in ("Flux Kontext", "Flux2 Klein", "SDXL"):
        with pytest.raises(ValueError, match=r"CLIP does not read pictures.*Qwen2\.5-VL"):
            reference.check(edit_models(name).clip)
    reference.check(models.clip)


@torch.inference_mode()
@pytest.mark.parametrize("name", EDIT_FAMILIES)
def test_img2img_starts_from_the_original(name, photograph):
    models = edit_models(name)
    starts, latents = [], []
    for image in (photograph, 1 - photograph):
        starts.append(shown(name, ReferenceMode.IMG2IMG, image))
        latent = models.vae.encode(fit(image, *SIZE)[None])
        latents.append(models.model.model.process_latent_in(latent))
    assert all(seen.references == [[]] * len(seen.references) for seen in starts)
    # The noise is the same in both, so what differs at the first step is the original alone.
    moved = (starts[0].inputs[0] - starts[1].inputs[0])[:1].flatten()
    alike = torch.cosine_similarity(moved, (latents[0] - latents[1]).flatten(), dim=0)
    assert alike > 0.99


@torch.inference_mode()
@pytest.mark.parametrize("name", EDIT_FAMILIES)
def test_a_patched_model_is_asked_as_it_is(name, photograph):
    models, calls = edit_models(name), []

    def adapter(executor: Any, *args: Any, **named: Any) -> Any:
        calls.append(named.get("ref_latents"))
        return executor(*args, **named)

    model = models.model.clone()
    model.add_wrapper("diffusion_model", adapter)
    reference = reference_for(
        ReferenceMode.PATCHED_MODEL, model, models.vae, person(photograph), *SIZE, style="plain"
    )
    seen = look(models, reference, model)
    assert len(calls) == len(seen.inputs)
    assert all(not one for one in seen.references)
    assert reference.prompt(Tags("close_up", "front")) == "woman, close-up, front view"


@torch.inference_mode()
@pytest.mark.parametrize("size", [(20, 20), (8000, 60)])
@pytest.mark.parametrize("name", ["Flux Kontext", "SD 1.5"])
def test_tiny_and_huge_originals_are_shown_whole(name, size, photograph):
    image = fit(photograph, *size)
    mode = ReferenceMode.REFERENCE_LATENTS if name in READERS else ReferenceMode.IMG2IMG
    models = edit_models(name)
    reference = reference_for(mode, models.model, models.vae, person(image), *SIZE, style="plain")
    look(models, reference)
    assert reference.fitting is not None
    assert reference.fitting.undo(torch.zeros(SIZE[1], SIZE[0], 3)).shape == image.shape


def test_what_takes_one_picture_refuses_more(photograph):
    models = edit_models("SD 1.5")
    with pytest.raises(ValueError, match=r"'img2img' takes no further references; disconnect"):
        shown("SD 1.5", ReferenceMode.IMG2IMG, photograph, photograph)
    with pytest.raises(ValueError, match="3 further references are connected; give at most 2"):
        shown("Flux Kontext", ReferenceMode.REFERENCE_LATENTS, *[photograph] * 4)
    assert models.model is not None


@torch.inference_mode()
@pytest.mark.parametrize("style", ["kontext", "flux2", "qwen_image_edit"])
def test_edit_models_are_shown_a_megapixel_in_the_originals_shape(style, photograph):
    image = photograph[:, :361]
    models = edit_models("Flux Kontext")
    mode = ReferenceMode.REFERENCE_LATENTS
    reference = reference_for(mode, models.model, pixel_space(), person(image), *SIZE, style=style)
    height, width = reference.latents[0].shape[-2:]
    assert height % 16 == width % 16 == 0
    assert abs(width * height / 1024**2 - 1) <= 0.1
    back = reference.fitting.undo(pixel_space().decode(reference.latents[0])[0])
    assert (back - image).abs().mean() < 0.01


@torch.inference_mode()
def test_own_samplers_and_sigmas_are_what_is_sampled(photograph):
    models = edit_models("Flux Kontext")
    reference = reference_for(
        ReferenceMode.REFERENCE_LATENTS, models.model, models.vae, person(photograph), *SIZE
    )
    sigmas = torch.tensor([0.9, 0.6, 0.3, 0.0])
    steps: list[int] = []
    heun = comfy.samplers.sampler_object("heun")
    three = CustomSampling(None, sigmas)
    look(models, reference, custom=three, on_step=lambda step, _: steps.append(step))
    assert steps == [1, 2, 3]
    assert three.steps(Sampling(*SIZE, steps=20)) == 3
    euler = look(models, reference)
    assert len(look(models, reference, custom=CustomSampling(heun)).inputs) > len(euler.inputs)
    same = look(models, reference, custom=CustomSampling(comfy.samplers.sampler_object("euler")))
    assert torch.allclose(same.inputs[-1], euler.inputs[-1], atol=1e-4)
    with pytest.raises(ValueError, match=r"SIGMAS hold 1 value\(s\)"):
        look(models, reference, custom=CustomSampling(None, sigmas[:1]))
    again = CustomSampling(comfy.samplers.sampler_object("heun"), sigmas.clone())
    assert key(1, custom=CustomSampling(heun, sigmas)) == key(1, custom=again)
    assert key(1, custom=CustomSampling(heun)) != key(1, custom=CustomSampling(None, sigmas))
