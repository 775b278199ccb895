"""LoRA files as people have them: every spelling that ComfyUI reads, peft's names around it, layers
in parts, keys without a place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comfy.lora
import comfy.utils
import folder_paths
import pytest
import torch
from safetensors.torch import save_file

from facet.engine.comfyui.lora import read_lora
from facet.engine.comfyui.lora_camera import LoraCamera
from facet.engine.comfyui.lora_names import LoraWeights
from facet.engine.comfyui.lora_place import place
from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.studio.judge import Judge
from facet.engine.training.files.existing import read_adapters, start_from, with_layers_of
from facet.engine.training.model.lora import Adapter, adapters
from facet.engine.training.model.targets import target_modules
from facet.nodes.scoring.character_shot import FacetCharacterShot
from facet.nodes.scoring.lora_grid_parts import FacetLoraGridRow
from facet.nodes.scoring.scorer import FacetIdentityScorer
from harness.families import SD15, load_family
from harness.small_models import (
    SmallModels,
    small_clip,
    small_clip_vision,
    small_models,
    small_vae,
)
from harness.studios import studio_of

QKV = "double_blocks.0.img_attn.qkv"
KOHYA = f"lora_unet_{QKV.replace('.', '_')}"
TEXT = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
RANK, HIDDEN = 2, 128

DOWN_UP = ("lora_down.weight", "lora_up.weight")


@pytest.fixture(scope="module")
def flux() -> SmallModels:
    return small_models()


@pytest.fixture(scope="module")
def unet() -> SmallModels:
    """A narrow SD 1.5."""
    return SmallModels(load_family(SD15, narrow=True), small_clip(), small_vae(4))


@pytest.fixture(autouse=True)
def trainable() -> Iterator[None]:
    with torch.inference_mode(False):
        yield


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.1


def plain(name: str = KOHYA, rows: int = 3 * HIDDEN, columns: int = HIDDEN) -> LoraWeights:
    down, up = drawn(RANK, columns, seed=1), drawn(rows, RANK, seed=2)
    return {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}


def written(folder: Path, weights: LoraWeights, **metadata: str) -> Path:
    path = folder / "given.safetensors"
    save_file(weights, path, metadata or None)
    return path


def changes(models: SmallModels, lora: LoraWeights) -> dict[str, torch.Tensor]:
    """What ``lora`` adds to each weight of the models, where it is put on them."""
    camera = LoraCamera(models, Sampling(), lora)
    patched = camera.patched(1.0)
    found = {}
    for patcher, before in (
        (patched.model, models.model.model_state_dict()),
        (patched.clip.patcher, models.clip.cond_stage_model.state_dict()),
    ):
        for key, patches in patcher.patches.items():
            weight = before[key].clone()
            found[key] = comfy.lora.calculate_weight(patches, weight, key) - before[key]
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    close = (torch.allclose(one[key], other[key], atol=1e-5) for key in one.keys() & other.keys())
    return one.keys() == other.keys() and all(close) and bool(one)


# peft's names around ComfyUI's


SPELLINGS: dict[str, Callable[[str], str]] = {
    "numbered": lambda part: f"base_model.model.{QKV}.{part}.default_0.weight",
    "any name": lambda part: f"diffusion_model.{QKV}.{part}.my.own-adapter.weight",
    "no weight": lambda part: f"base_model.model.{QKV}.{part}.zqx",
    "default": lambda part: f"base_model.model.{QKV}.{part}.default.weight",
    "saved": lambda part: f"base_model.model.{QKV}.{part}.weight",
    "of a pipeline": lambda part: f"diffusion_model.base_model.model.{QKV}.{part}.zqx.weight",
    "compiled": lambda part: f"module._orig_mod.{QKV}.{part}.weight",
    "whole model": lambda part: f"model.diffusion_model.{QKV}.{part}.weight",
    "around kohya's": lambda part: f"base_model.model.{KOHYA}.{part}.default_0.weight",
    "kohya's parts": lambda part: (
        f"{KOHYA}.{part.replace('_A', '_down').replace('_B', '_up')}.face.weight"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_name_of_pefts_is_read_by_the_trainer_and_by_all_that_samples(
    flux: SmallModels, tmp_path: Path, spelling: str
) -> None:
    key = SPELLINGS[spelling]
    down, up = plain().values()
    named = {key("lora_A"): down, key("lora_B"): up}
    assert same(changes(flux, named), changes(flux, plain()))
    found = read_adapters(written(tmp_path, named), flux.model.model, [QKV])
    assert torch.allclose(found[QKV]["lora_up.weight"], up)
    assert torch.allclose(found[QKV]["lora_down.weight"], down)


def test_several_adapters_of_one_layer_are_refused_by_name(
    flux: SmallModels, tmp_path: Path
) -> None:
    down, up = plain().values()
    named = {
        f"base_model.model.{QKV}.lora_{part}.{name}.weight": value.clone()
        for name in ("face", "style")
        for part, value in (("A", down), ("B", up))
    }
    with pytest.raises(ValueError, match=r"several adapters \(face, style\)"):
        changes(flux, named)
    with pytest.raises(ValueError, match=r"several adapters \(face, style\)"):
        read_adapters(written(tmp_path, named), flux.model.model, [QKV])


def test_dora_of_pefts_keeps_its_magnitudes(flux: SmallModels, tmp_path: Path) -> None:
    """A number for each row, as ComfyUI scales rows; the trainer scales columns and says so."""
    down, up = plain().values()
    rows = drawn(len(up), seed=3).abs() + 1
    named = {
        f"base_model.model.{QKV}.lora_A.default_0.weight": down,
        f"base_model.model.{QKV}.lora_B.default_0.weight": up,
        f"base_model.model.{QKV}.lora_magnitude_vector.default_0.weight": rows,
    }
    usual = {**plain(), f"{KOHYA}.dora_scale": rows[:, None]}
    assert same(changes(flux, named), changes(flux, usual))
    assert not same(changes(flux, named), changes(flux, plain()))
    path = written(tmp_path, named)
    with adapted(flux, kind="DoRA") as made, pytest.raises(ValueError, match="scales rows where"):
        start_from(path, flux.model.model, made)


def test_dora_of_the_other_axis_is_refused_where_both_are_as_long(
    flux: SmallModels, tmp_path: Path
) -> None:
    name = "lora_unet_double_blocks_0_img_attn_proj"
    file = plain(name, HIDDEN, HIDDEN) | {f"{name}.dora_scale": torch.ones(HIDDEN, 1)}
    with adapted(flux, kind="DoRA") as made, pytest.raises(ValueError, match="scales rows where"):
        start_from(written(tmp_path, file), flux.model.model, made)


# every name that ComfyUI reads


ENDS = (
    DOWN_UP,
    ("lora_A.weight", "lora_B.weight"),
    ("lora_A", "lora_B"),
    ("lora.down.weight", "lora.up.weight"),
    ("lora_linear_layer.down.weight", "lora_linear_layer.up.weight"),
    ("lora_A.default.weight", "lora_B.default.weight"),
)


@pytest.mark.parametrize("family", ["flux", "unet"])
def test_each_name_in_comfyuis_own_key_map_has_its_place(
    family: str, request: pytest.FixtureRequest
) -> None:
    models = request.getfixturevalue(family)
    weights = models.model.model_state_dict() | models.clip.cond_stage_model.state_dict()
    names = comfy.lora.model_lora_keys_unet(models.model.model, {})
    names = comfy.lora.model_lora_keys_clip(models.clip.cond_stage_model, names)
    matrices = [
        (name, weights[key])
        for name, key in names.items()
        if isinstance(key, str) and key in weights and weights[key].ndim == 2
    ]
    asked = matrices[:: max(1, len(matrices) // 60)]
    everything = {}
    for number, (name, weight) in enumerate(asked):
        down, up = ENDS[number % len(ENDS)]
        everything[f"{name}.{down}"] = drawn(RANK, weight.shape[1])
        everything[f"{name}.{up}"] = drawn(weight.shape[0], RANK)
        everything[f"{name}.alpha"] = torch.tensor(1.0)
    placed = place(models.model, models.clip, everything)
    assert len(asked) > 50 and placed.strays == () and not placed.note


def test_the_names_of_older_and_of_todays_diffusers_are_one_unet(
    unet: SmallModels, tmp_path: Path
) -> None:
    block = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
    down, up = plain(rows=32, columns=32).values()
    kohya = f"lora_unet_{block.replace('.', '_')}_to_q"
    expected = changes(unet, {f"{kohya}.{end}": v for end, v in zip(DOWN_UP, (down, up))})
    for before in ("", "unet."):
        older = f"{before}{block}.processor.to_q_lora"
        named = {f"{older}.down.weight": down, f"{older}.up.weight": up}
        assert same(changes(unet, named), expected)
        named = {f"module.{key}": value for key, value in named.items()}
        assert same(changes(unet, named), expected)
        newer = f"{before}{block}.to_q"
        named = {f"{newer}.lora_A.weight": down, f"{newer}.lora_B.weight": up}
        assert same(changes(unet, named), expected)
        module = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
        assert read_adapters(written(tmp_path, named), unet.model.model, [module])


# keys without a place


STRAYS = {
    "bundle_emb.zqx.clip_l": drawn(4, 32),
    "lora_te3_encoder_block_0_layer_0_SelfAttention_q.alpha": torch.tensor(1.0),
    "lora_te2_text_projection.lora_up.weight": drawn(32, 2),
}


@pytest.mark.parametrize("stray", STRAYS)
def test_a_key_without_a_place_is_said_with_its_share_and_the_rest_is_used(
    flux: SmallModels, tmp_path: Path, stray: str, caplog: pytest.LogCaptureFixture
) -> None:
    lora = {**plain(), stray: STRAYS[stray]}
    camera = LoraCamera(flux, Sampling(), lora)
    assert len(camera.patched(1.0).model.patches) == 1
    assert camera.note.startswith(f"1 of the LoRA's 3 weights (33.3%), such as {stray}, have no")
    assert same(changes(flux, lora), changes(flux, plain()))
    # The training has a text encoder, where the stray is of one.
    encoder = flux.clip.cond_stage_model if stray.startswith("lora_te") else None
    path = written(tmp_path, lora)
    targets = target_modules(flux.model.model.diffusion_model)
    targets += ("text_encoders.clip_l.transformer.text_projection",) if encoder else ()
    with caplog.at_level(logging.WARNING):
        assert QKV in with_layers_of(path, flux.model.model, targets, encoder)
    assert caplog.text.count("has 1 of its 3 weights (33.3%)") == 1 and stray in caplog.text


def test_a_lora_of_another_model_is_refused_though_its_text_encoder_fits(
    flux: SmallModels,
) -> None:
    other = plain("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q", 32, 32)
    for lora in (other, {**other, **plain(TEXT, 32, 32)}):
        with pytest.raises(ValueError, match=r"^2 of the LoRA's \d weights, such as 'lora_unet_in"):
            place(flux.model, flux.clip, lora)
    alone = place(flux.model, flux.clip, plain(TEXT, 32, 32))
    assert len(alone.patches) == 1 and not alone.note


@pytest.mark.parametrize(
    "broken",
    [
        {f"{KOHYA}.lora_up.weight": drawn(384, 2)},
        {f"{KOHYA}.hada_w1_a": drawn(384, 2), f"{KOHYA}.hada_w1_b": drawn(2, 128)},
        {f"{KOHYA}.lokr_w2": drawn(48, 16)},
        {**plain(), f"{KOHYA}.alpha": drawn(4)},
        {f"{KOHYA}.lora_up.weight": drawn(384), f"{KOHYA}.lora_down.weight": drawn(128)},
        {f"{KOHYA}.lokr_w1": drawn(8, 8), f"{KOHYA}.lokr_w2": drawn(48, 15)},
        {
            **{f"{KOHYA}.hada_w{number}_a": drawn(384, 2) for number in (1, 2)},
            **{f"{KOHYA}.hada_w{number}_b": drawn(2, 64) for number in (1, 2)},
        },
        {**plain(), f"{KOHYA}.dora_scale": drawn(1, 64)},
        plain("transformer.transformer_blocks.0.attn.to_q", 64, HIDDEN),
    ],
)
def test_a_layer_that_lacks_a_part_or_has_another_shape_is_one_sentence(
    flux: SmallModels, tmp_path: Path, broken: LoraWeights
) -> None:
    sentence = "The LoRA lacks '.+'|ComfyUI cannot read the LoRA|The LoRA's weights for '.+' have"
    with pytest.raises(ValueError, match=sentence):
        place(flux.model, flux.clip, broken)
    with pytest.raises(ValueError, match=r"damaged|belongs to another model"):
        read_adapters(written(tmp_path, broken), flux.model.model, [QKV])


# layers in parts


PARTS = [f"transformer_blocks.0.attn.to_{part}" for part in "qkv"]


def adapted(models: SmallModels, rank: int = RANK, kind: str = "LoRA") -> Any:
    network = models.model.model.diffusion_model
    return adapters(network, target_modules(network), rank, 1, None, kind)


def loha(name: str, rank: int = RANK, seed: int = 0) -> LoraWeights:
    ends = {"w1_a": (HIDDEN, rank), "w1_b": (rank, HIDDEN)}
    ends |= {"w2_a": (HIDDEN, rank), "w2_b": (rank, HIDDEN)}
    found = {
        f"{name}.hada_{end}": drawn(*shape, seed=seed + number)
        for number, (end, shape) in enumerate(ends.items())
    }
    return {**found, f"{name}.alpha": torch.tensor(1.0 + seed)}


def change_of_loha(adapter: Adapter) -> torch.Tensor:
    values = {name: value.detach() for name, value in adapter.values.items()}
    product = (values["hada_w1_a"] @ values["hada_w1_b"]) * (
        values["hada_w2_a"] @ values["hada_w2_b"]
    )
    return product * (adapter.alpha or 0.0) / len(values["hada_w1_b"])


def test_loha_whose_q_k_v_are_apart_is_joined_exactly(flux: SmallModels, tmp_path: Path) -> None:
    names = [f"lycoris_{part.replace('.', '_')}" for part in PARTS]
    file: LoraWeights = {}
    for number, name in enumerate(names):
        file |= loha(name, seed=10 * number)
    file |= loha("lora_unet_double_blocks_0_img_attn_proj", seed=50)
    (expected, proj) = (
        changes(flux, file)[f"diffusion_model.{name}.weight"]
        for name in (QKV, QKV.replace("qkv", "proj"))
    )
    path = written(tmp_path, file)
    with adapted(flux, rank=3 * RANK + 1, kind="LoHa") as made:
        start_from(path, flux.model.model, made)
        by_name = {one.module: one for one in made}
        assert torch.allclose(change_of_loha(by_name[QKV]), expected, atol=1e-5)
        own = by_name[QKV.replace("qkv", "proj")]
        assert torch.allclose(change_of_loha(own), proj, atol=1e-5)
    with (
        adapted(flux, rank=RANK, kind="LoHa") as made,
        pytest.raises(ValueError, match="set rank to 6 or more"),
    ):
        start_from(path, flux.model.model, made)


@pytest.mark.parametrize("kind", ["LoKr", "DoRA", "LoHa without k"])
@pytest.mark.parametrize("count", [1, 3])
def test_parts_that_no_join_keeps_are_refused_in_one_sentence(
    flux: SmallModels, tmp_path: Path, kind: str, count: int
) -> None:
    file: LoraWeights = {}
    for part in PARTS[:count]:
        name = f"lycoris_{part.replace('.', '_')}"
        if kind == "LoKr":
            file |= {f"{name}.lokr_w1": drawn(8, 8), f"{name}.lokr_w2": drawn(16, 16)}
            file[f"{name}.alpha"] = torch.tensor(1.0)
        elif kind == "DoRA":
            file |= plain(name, HIDDEN, HIDDEN) | {f"{name}.dora_scale": torch.ones(1, HIDDEN)}
        elif "to_k" not in part:
            file |= loha(name)
    assert QKV in str(changes(flux, file).keys()), "ComfyUI reads it"
    sentence = rf"has {QKV} in parts, such as q, k and v, and of {kind.split()[0]} these cannot"
    path, targets = written(tmp_path, file), target_modules(flux.model.model.diffusion_model)
    with pytest.raises(ValueError, match=sentence):  # before anything is encoded
        with_layers_of(path, flux.model.model, targets)
    with adapted(flux, kind=kind.split()[0]) as made, pytest.raises(ValueError, match=sentence):
        start_from(path, flux.model.model, made)


def test_a_layer_in_parts_and_whole_is_the_sum(flux: SmallModels, tmp_path: Path) -> None:
    file = {**plain(), **plain(f"transformer.{PARTS[1]}", HIDDEN, HIDDEN)}
    (given,) = changes(flux, file).values()
    tensors = read_adapters(written(tmp_path, file), flux.model.model, [QKV])[QKV]
    assert torch.allclose(tensors["lora_up.weight"] @ tensors["lora_down.weight"], given, atol=1e-5)


def test_rows_that_diffusers_has_in_another_order_are_put_in_order(
    flux: SmallModels, tmp_path: Path
) -> None:
    file = plain("transformer.norm_out.linear", 2 * HIDDEN, HIDDEN)
    (given,) = changes(flux, file).values()
    path = written(tmp_path, file)
    targets = target_modules(flux.model.model.diffusion_model)
    targets = with_layers_of(path, flux.model.model, targets)
    (tensors,) = read_adapters(path, flux.model.model, targets).values()
    assert torch.allclose(tensors["lora_up.weight"] @ tensors["lora_down.weight"], given, atol=1e-5)


# files that hold no LoRA, or one that makes no picture


@pytest.mark.parametrize(
    "held",
    [
        [1, 2],
        [{"a": torch.ones(1)}],
        7,
        "text",
        None,
        torch.ones(3),
        {},
        {"state_dict": [1]},
        {"a": {"b": [torch.ones(1)]}},
        Path("a"),  # needs a global that no LoRA has
    ],
    ids=repr,
)
@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".bin", ".safetensors"])
def test_what_a_pickle_holds_instead_of_a_lora_is_one_sentence(
    flux: SmallModels, tmp_path: Path, held: Any, suffix: str
) -> None:
    path = tmp_path / f"given{suffix}"
    torch.save(held, path)
    for read in (read_lora, lambda file: with_layers_of(file, flux.model.model, ())):
        with pytest.raises(ValueError, match=r"given\.\w+ (cannot be r|holds no w)") as got:
            read(path)
        assert "\n" not in str(got.value) and len(str(got.value)) < 400


def test_of_a_readers_page_the_first_line_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("It is corrupt.\n\nFile path: a\n\nRun it with weights_only=False.")

    monkeypatch.setattr(comfy.utils, "load_torch_file", refuse)
    with pytest.raises(
        ValueError, match=r"^a\.pt cannot be read \(It is corrupt\.\); it is damaged"
    ):
        read_lora(tmp_path / "a.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 3e38])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_lora_whose_training_broke_down_is_refused_by_its_files_name(
    flux: SmallModels, tmp_path: Path, value: float, dtype: torch.dtype
) -> None:
    broken = {key: one.to(dtype) for key, one in plain().items()}
    broken[f"{KOHYA}.lora_up.weight"][3, 1] = value
    path = written(tmp_path, broken)
    sentence = r"holds values .+, such as in lora_unet_.+lora_up.weight; its training broke down"
    for read in (read_lora, lambda file: with_layers_of(file, flux.model.model, ())):
        with pytest.raises(ValueError, match=rf"given\.safetensors {sentence}"):
            read(path)
    with pytest.raises(ValueError, match=f"The LoRA {sentence}"):  # one that is connected
        LoraCamera(flux, Sampling(), broken)


def test_a_large_alpha_is_no_broken_training(tmp_path: Path) -> None:
    """LyCORIS writes 1e10 where it trains whole matrices, which nobody scales by."""
    path = written(tmp_path, {**plain(), f"{KOHYA}.alpha": torch.tensor(1e10)})
    assert f"{KOHYA}.alpha" in read_lora(path).weights


@pytest.fixture
def listed(
    flux: SmallModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[LoraWeights], str]:
    """Puts a LoRA where ComfyUI lists it."""
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    known = ([str(tmp_path)], folder_paths.supported_pt_extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", known)
    return lambda weights: written(tmp_path, weights).name


def ada() -> Character:
    shots = [
        Shot(drawn(64, 64, 3, seed=seed).abs(), Provenance("generated"), caption="zqx person")
        for seed in range(3)
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def test_each_node_that_samples_with_a_lora_takes_pefts_names_and_says_what_is_left_out(
    flux: SmallModels,
    listed: Callable[[LoraWeights], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    down, up = plain().values()
    key = SPELLINGS["numbered"]
    name = listed({key("lora_A"): down, key("lora_B"): up, "bundle_emb.zqx.clip_l": drawn(4, 32)})
    said = "1 of the LoRA's 3 weights (33.3%), such as bundle_emb.zqx.clip_l, have no place"
    studio, judge = studio_of(flux), Judge(clip_vision=small_clip_vision())
    few = {"samples": 1, "trigger_only": 0, "attributes": 0, "leak_probes": 0}
    given = {"studio": studio, "seed": 1}
    card = FacetIdentityScorer.execute(
        ada(), judge=judge, strengths="1.0", lora_name=name, **few, **given
    ).args[0]
    assert any(said in note for note in card.notes)
    with torch.inference_mode():
        report = FacetCharacterShot.execute(
            prompt="smiling", lora_name=name, lora_strength=1.0, tries=1, **given
        ).args[2]
    assert said in report
    caplog.clear()
    FacetLoraGridRow.execute(prompts="smiling", file=name, strength=1.0, **given)
    assert f"{name}: {said}" in caplog.text
