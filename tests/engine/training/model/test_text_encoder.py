"""Text encoders that learn along: exact gradients, and a CLIP that is handed back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.hooks
import comfy.sd
import pytest
import torch

from facet.engine.comfyui.lora import read_weights
from facet.engine.store.tensors import write_tensors
from facet.engine.training.data.conditioning import encode_captions
from facet.engine.training.data.pictures import TrainingSample
from facet.engine.training.files.formats import check_lora, lora_names, lora_state_dict
from facet.engine.training.model.session import Session
from facet.engine.training.model.targets import target_modules
from facet.engine.training.model.text_encoder import TextEncoder, text_targets, what_stays
from facet.engine.training.objective.step import Step
from facet.engine.training.settings import TrainingSettings
from harness.gradients import along, every_weight_alike, slope_at_zero
from harness.live_step import LiveStep, batch_of
from harness.text_models import TEXT_FAMILIES, TextModels, kept_text_models, language_model

SETTINGS = TrainingSettings(
    steps=4, rank=3, batch_size=2, seed=1, precision="fp32", text_encoder=True, prior_class=0.5
)
CAPTIONS = ("zqx person, smiling", "zqx person (in a red coat:1.3), outdoors")


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> TextModels:
    """A family by its name."""
    return kept_text_models(request.param)


def samples_for(made: TextModels) -> list[TrainingSample]:
    generator = torch.Generator().manual_seed(3)
    shape = (1, *made.family.latent, 8, 8)
    return [
        TrainingSample(
            torch.randn(shape, generator=generator), caption, 1.0, prior_caption="person"
        )
        for caption in CAPTIONS
    ]


@contextlib.contextmanager
def training(
    made: TextModels,
    settings: TrainingSettings = SETTINGS,
    clip: Any = None,
    moved: float = 0.3,
) -> Iterator[tuple[Session, LiveStep]]:
    """A step over two samples, with adapters in the model and in the CLIP that have moved."""
    clip = clip or made.clip
    samples = samples_for(made)
    prompts = encode_captions(clip, ["", "person", *CAPTIONS])
    targets = target_modules(made.model.model.diffusion_model)
    text = text_targets(clip, made.model.model, settings.targets)
    encoder = TextEncoder(clip, settings, text)
    with (
        torch.inference_mode(False),
        Session(made.model, targets, settings, samples, encoder) as session,
    ):
        generator = torch.Generator().manual_seed(7)
        for adapter in session.adapters:
            for value in adapter.parameters().values():
                if moved and not value.any():
                    value.data.normal_(0, moved / value.shape[-1], generator=generator)
        step = Step(made.model, settings, samples, prompts, session.options, encoder)
        yield session, LiveStep(step, session.adapters)


def in_text(session: Session) -> list[torch.nn.Parameter]:
    adapters = [one for one in session.adapters if one.of_text_encoder]
    return [value for one in adapters for value in one.parameters().values()]


@pytest.mark.parametrize(
    ("made", "clip_skip"),
    [("SD 1.5", None), ("SD 1.5", -2), ("SDXL", None), ("Flux", None)],
    indirect=["made"],
)
def test_gradients_agree_with_finite_differences(made: TextModels, clip_skip: int | None) -> None:
    """Of the text encoders' own weights, with captions of their own, weighted words and a prior."""
    clip = made.clip.clone()
    clip.clip_layer(clip_skip)
    with training(made, clip=clip) as (session, live):
        batch = batch_of(samples_for(made), [0.4, 0.7])
        live.step.check_forward()
        live.gradient(batch)
        weights = in_text(session)
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in weights]
        direction = every_weight_alike(gradients)
        start = [weight.detach().clone() for weight in weights]

        def loss_at(distance: float) -> float:
            for weight, value, part in zip(weights, start, direction, strict=True):
                weight.data.copy_(value + distance * part)
            return live.step.backward(batch)

        measured = slope_at_zero(loss_at, 0.02)
    assert measured == pytest.approx(along(gradients, direction), rel=1e-3)
    assert along(gradients, direction) > 0


@pytest.mark.parametrize("made", TEXT_FAMILIES, indirect=True)
def test_untrained_it_encodes_as_comfyui_does(made: TextModels) -> None:
    """Causal masks, clip skip, pooled text and weights of words: all that a CLIP goes by."""
    for clip_skip in (None, -2):
        clip = made.clip.clone()
        clip.clip_layer(clip_skip)
        known = encode_captions(clip, CAPTIONS)
        with training(made, clip=clip, moved=0.0) as (session, _):
            assert session.text_encoder is not None
            for caption in CAPTIONS:
                live = session.text_encoder.encode(caption)
                assert live.keys() == known[caption].keys()
                for name, value in known[caption].items():
                    assert float((live[name] - value).detach().norm() / value.norm()) < 1e-5
                assert any(value.requires_grad for value in live.values())


KEYS = {
    "SD 1.5": ("lora_te_text_model_encoder_layers_0_self_attn_q_proj",),
    "SDXL": (
        "lora_te1_text_model_encoder_layers_0_self_attn_q_proj",
        "lora_te2_text_model_encoder_layers_2_mlp_fc1",
    ),
    "Flux": ("lora_te1_text_model_encoder_layers_2_self_attn_out_proj",),
}


@pytest.mark.parametrize(
    ("made", "kind"),
    [("SD 1.5", "LoRA"), ("SDXL", "LoRA"), ("SDXL", "LoKr"), ("Flux", "LoRA"), ("Flux", "DoRA")],
    indirect=["made"],
)
def test_comfyui_reads_the_file_whole_and_encodes_as_the_live_one(
    made: TextModels, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = replace(SETTINGS, adapter=kind)
    with training(made, settings) as (session, _):
        assert session.text_encoder is not None
        live = [session.text_encoder.encode(caption) for caption in CAPTIONS]
        layers = {
            one.module: one.file_tensors({n: v.detach() for n, v in one.parameters().items()})
            for one in session.adapters
        }
        names = lora_names(made.model.model, layers, made.clip.cond_stage_model)
        path = tmp_path / "lora.safetensors"
        write_tensors(path, lora_state_dict(layers, names), {})
    check_lora(path, made.model.model, layers, made.clip.cond_stage_model)
    state = read_weights(path)
    part = ".lokr_w1" if kind == "LoKr" else ".lora_up.weight"
    assert all(f"{key}{part}" in state for key in KEYS[made.name])
    caplog.clear()
    _, clip = comfy.sd.load_lora_for_models(made.model, made.clip, state, 1.0, 1.0)
    assert not [record for record in caplog.records if "lora key" in record.message.lower()]
    by_core = encode_captions(clip, CAPTIONS)
    untrained = encode_captions(made.clip, CAPTIONS)
    for caption, options in zip(CAPTIONS, live, strict=True):
        for name, value in options.items():
            wanted = by_core[caption][name]
            assert float((value - wanted).detach().norm() / wanted.norm()) < 1e-3
        moved = options["pooled_output"] - untrained[caption]["pooled_output"]
        assert float(moved.detach().norm() / untrained[caption]["pooled_output"].norm()) > 0.01


@pytest.mark.parametrize("made", ["SDXL"], indirect=True)
def test_the_prior_is_the_model_without_any_adapter(made: TextModels) -> None:
    sample = samples_for(made)[0]
    given = ([sample.caption], sample.latent, torch.tensor([0.5]))
    with training(made, moved=0.0) as (_, live):
        wanted = live.step._network.denoised(*given).detach()
    with training(made) as (_, live):
        prior = live.step._network.untrained(*given)
        trained = live.step._network.denoised(*given)
    assert not prior.requires_grad
    assert float((prior - wanted).norm() / wanted.norm()) < 1e-5
    assert float((trained.detach() - wanted).norm() / wanted.norm()) > 1e-2


@pytest.mark.parametrize("made", ["Flux"], indirect=True)
def test_the_clip_is_handed_back_as_it_was(made: TextModels) -> None:
    model = made.clip.cond_stage_model
    modules = dict(model.named_modules())
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    before = encode_captions(made.clip, CAPTIONS)
    with pytest.raises(KeyboardInterrupt), training(made) as (_, live):
        live.gradient(batch_of(samples_for(made), [0.4, 0.7]))
        raise KeyboardInterrupt
    assert dict(model.named_modules()) == modules
    for module in modules.values():
        assert not {"forward", "encode_token_weights"} & vars(module).keys()
    after = model.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(after[name], value) for name, value in weights.items())
    again = encode_captions(made.clip, CAPTIONS)
    for caption, options in before.items():
        assert all(torch.equal(again[caption][name], value) for name, value in options.items())


@pytest.mark.parametrize("made", ["Flux"], indirect=True)
def test_t5_stays_as_it_is_and_runs_once_for_each_text(
    made: TextModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert what_stays(made.clip) == "Of the text encoders CLIP-L is trained; T5-XXL stays as it is."
    t5 = type(made.clip.cond_stage_model.t5xxl)
    ran = []
    forward = t5.forward
    with training(made) as (session, live):
        assert not any("t5xxl" in adapter.module for adapter in session.adapters)
        monkeypatch.setattr(t5, "forward", lambda self, *a: ran.append(1) or forward(self, *a))
        for _ in range(2):
            live.gradient(batch_of(samples_for(made), [0.4, 0.7]))
    # Two captions of which one has weights for words, and the class word.
    assert len(ran) == 3


@pytest.mark.parametrize("made", ["SDXL"], indirect=True)
def test_attention_alone_is_trained_where_that_is_the_target(made: TextModels) -> None:
    every = text_targets(made.clip, made.model.model, "all linear layers")
    attention = text_targets(made.clip, made.model.model, "attention")
    assert len(every) == 2 * 3 * 6
    assert set(every) - set(attention) == {name for name in every if ".mlp." in name}


@pytest.mark.parametrize("made", ["Flux"], indirect=True)
def test_a_clip_that_cannot_be_trained_is_told_in_a_sentence(made: TextModels) -> None:
    with pytest.raises(ValueError, match=r"text encoder of Flux \(qwen3_4b\) cannot be trained: o"):
        text_targets(language_model(), made.model.model, "all linear layers")
    hooked = made.clip.clone()
    hooked.patcher.forced_hooks = comfy.hooks.HookGroup()
    with pytest.raises(ValueError, match="hooks change the CLIP's weights while it encodes"):
        text_targets(hooked, made.model.model, "all linear layers")
