"""The demo models load through ComfyUI's classes, compute what was trained, and fail in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from facet.engine.demo import models as demo
from facet.engine.demo.text import MAX_TOKENS
from facet.world.captions import reference_caption
from facet.world.clip import TextModel
from facet.world.flux import Flux, rope_table
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import Scene
from facet.world.train_flow import read_export
from facet.world.vision import IdentityEncoder


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    image = render(Identity.from_seed(HELD_OUT_FROM), Scene(framing="close_up")).image
    return torch.from_numpy(image)[None].float() / 255


def trained() -> tuple[Flux, TextModel]:
    used = load_file(demo.WEIGHTS / "text.safetensors")["ids"].tolist()
    flux, text = Flux(), TextModel(used)
    read_export(flux, text, used, demo.WEIGHTS)
    return flux, text


def tokens_of(clip: object, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    ids = [token for token, _ in clip.tokenize(text)["l"][0]]  # type: ignore[attr-defined]
    return torch.tensor([ids]), torch.tensor([ids.index(49407) + 1])


def test_all_weights_together_stay_small() -> None:
    size = sum(path.stat().st_size for path in demo.WEIGHTS.glob("*.safetensors"))
    assert size <= 25_000_000


@torch.no_grad()
def test_text_is_what_was_trained() -> None:
    clip = demo.load_clip()
    prompt = reference_caption(Scene())
    text, pooled = trained()[1](*tokens_of(clip, prompt))
    cond, pooled_here = clip.encode_from_tokens(clip.tokenize(prompt), return_pooled=True)
    assert cond.shape == (1, MAX_TOKENS, 128)
    assert torch.allclose(cond, text, atol=1e-2) and torch.allclose(pooled_here, pooled, atol=1e-2)


@torch.no_grad()
def test_flux_is_what_was_trained() -> None:
    import comfy.model_management

    model, clip = demo.load_model(), demo.load_clip()
    flux, words = trained()
    text, pooled = words(*tokens_of(clip, reference_caption(Scene())))
    torch.manual_seed(0)
    x, reference = torch.randn(1, 16, 16, 16), torch.randn(1, 16, 16, 16)
    t = torch.tensor([0.6])
    velocity = flux(x, t, text, pooled, reference, rope_table(MAX_TOKENS, 8, True))
    comfy.model_management.load_models_gpu([model])
    denoised = model.model.apply_model(x, t, c_crossattn=text, y=pooled, ref_latents=[reference])
    assert torch.allclose(denoised, x - 0.6 * velocity, atol=1e-2)


def test_pictures_survive_the_autoencoder(picture: torch.Tensor) -> None:
    vae = demo.load_vae()
    latent = vae.encode(picture)
    assert latent.shape == (1, 16, 16, 16)
    again = vae.decode(latent)
    assert -10 * torch.log10((again - picture).square().mean()) > 24


@torch.no_grad()
def test_identity_is_what_was_trained(picture: torch.Tensor) -> None:
    encoder = demo.load_clip_vision()
    net = IdentityEncoder()
    stored = load_file(demo.WEIGHTS / "identity.safetensors")
    missing, unexpected = net.load_state_dict({k: v.float() for k, v in stored.items()}, False)
    assert not unexpected and all(k.startswith(("heads.", "numbers.")) for k in missing)
    want = net.visual_projection(net(picture.permute(0, 3, 1, 2) * 2 - 1))
    here = encoder.encode_image(picture)["image_embeds"]
    assert torch.nn.functional.cosine_similarity(want, here) > 0.999


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"flux\.safetensors is missing"):
        demo.load_models(tmp_path)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(demo.WEIGHTS, tmp_path / "weights")
    damaged = tmp_path / "weights" / "vae.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    with pytest.raises(RuntimeError, match=r"vae\.safetensors in .* is damaged"):
        demo.load_vae(tmp_path / "weights")


@pytest.mark.slow
def test_a_picture_from_words_and_a_reference(picture: torch.Tensor) -> None:
    from facet.engine.comfyui.sampling import Sampling, encode_prompt, sample, with_reference

    models = demo.load_models()
    latent = [models.vae.encode(picture)]
    prompt = reference_caption(Scene(place="night", framing="medium"))
    positive = with_reference(encode_prompt(models.clip, prompt), latent)
    negative = with_reference(encode_prompt(models.clip, ""), latent)
    made = sample(
        models.model,
        models.vae,
        positive,
        negative,
        Sampling(demo.RESOLUTION, demo.RESOLUTION),
        seed=3,
    )
    assert made.shape == (1, 128, 128, 3)
    sky = made[0, :24, :24].mean((0, 1))
    assert sky[2] > sky[0] and sky.mean() < 0.45
