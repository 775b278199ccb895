"""Which model takes which reference: the records, held against ComfyUI's own classes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from contextlib import suppress
from types import SimpleNamespace

import comfy.model_base
import comfy.supported_models
import pytest
import torch
from comfy.model_base import BaseModel

from facet.engine.families.family import Family
from facet.engine.families.modes import (
    ReferenceMode,
    is_patched,
    reference_method,
    resolve_mode,
)
from facet.engine.families.table import FAMILIES
from harness.families import (
    CHROMA,
    FLUX_DEV,
    KLEIN,
    KREA2,
    QWEN_IMAGE,
    SD15,
    SDXL,
    ZIMAGE,
    load_family,
)

VIDEO = {"WAN21", "HunyuanVideo"}
"""Classes below which everything makes video, where a reference is something else."""
NO_PICTURES = {"TripoSplat"}
"""Makes three-dimensional scenes."""


def every_model_class() -> list[type[BaseModel]]:
    found = [one for one in vars(comfy.model_base).values() if inspect.isclass(one)]
    return [one for one in found if issubclass(one, BaseModel) and one is not BaseModel]


def network_class(model: type[BaseModel], monkeypatch: pytest.MonkeyPatch) -> type | None:
    """The network that ``model`` is built around, or None when it cannot be told."""
    built: list[type] = []

    def init(self, config, model_type=None, device=None, unet_model=None):
        torch.nn.Module.__init__(self)
        built.append(unet_model)

    with monkeypatch.context() as patch:
        patch.setattr(BaseModel, "__init__", init)
        # What some do after that needs a real configuration; the network is known by then.
        with suppress(AttributeError, TypeError, KeyError):
            model(SimpleNamespace(unet_config={}))
    return built[0] if built else None


def conditioned_by_references(model: type[BaseModel]) -> bool:
    """Whether ``model`` hands ``reference_latents`` on to its network."""
    methods = [vars(one).get("extra_conds") for one in model.__mro__]
    return any('"reference_latents"' in inspect.getsource(one) for one in methods if one)


def reads_references(network: type | None) -> bool:
    """Whether the code of ``network`` mentions what the conditioning hands on."""
    if network is None:
        return False
    own = [one for one in network.__mro__ if one.__module__.startswith("comfy.")]
    code = "\n".join(map(inspect.getsource, own))
    return "ref_latents" in code or "ref_patches" in code


def base_classes(families: Iterable[Family]) -> set[str]:
    """The BaseModels that ComfyUI makes for the configurations of ``families``."""
    found = set()
    for family in families:
        for name in family.classes:
            source = inspect.getsource(getattr(comfy.supported_models, name).get_model)
            found |= set(re.findall(r"model_base\.(\w+)\(", source))
    return found


def test_the_records_are_those_of_comfyuis_own_classes(monkeypatch):
    found = set()
    for model in every_model_class():
        ancestors = {one.__name__ for one in model.__mro__}
        if ancestors & (VIDEO | NO_PICTURES) or not conditioned_by_references(model):
            continue
        if reads_references(network_class(model, monkeypatch)):
            found.add(model.__name__)
    assert found == base_classes(family for family in FAMILIES if family.references)


def test_only_pixel_space_models_want_pictures_instead_of_latents():
    source = inspect.getsource(comfy.model_base.HiDreamO1.extra_conds)
    assert base_classes(family for family in FAMILIES if family.takes_images) == {"HiDreamO1"}
    assert "ref_images" in source


def test_chroma_inherits_the_conditioning_and_leaves_it_unread():
    assert conditioned_by_references(comfy.model_base.Chroma)
    with pytest.raises(ValueError, match=r"Chroma model takes no reference latents.*ignore"):
        resolve_mode(ReferenceMode.REFERENCE_LATENTS, load_family(CHROMA, narrow=True))


@pytest.mark.parametrize("family", [SD15, SDXL], ids=["SD15", "SDXL"])
def test_a_model_that_ignores_references_is_refused_by_its_name(family):
    model = load_family(family, narrow=True)
    for mode in (ReferenceMode.REFERENCE_LATENTS, ReferenceMode.QWEN_EDIT, ReferenceMode.AUTO):
        with pytest.raises(ValueError, match=rf"{family.name}.*'img2img'") as error:
            resolve_mode(mode, model)
        assert str(error.value).count(". ") == 0
    assert resolve_mode(ReferenceMode.IMG2IMG, model) is ReferenceMode.IMG2IMG


@pytest.mark.parametrize(
    ("family", "mode"),
    [(FLUX_DEV, None), (ZIMAGE, None), (QWEN_IMAGE, None), (KLEIN, "reference_latents")],
    ids=["Flux", "Z-Image", "Qwen-Image", "Klein"],
)
def test_auto_resolves_only_what_the_file_says(family, mode):
    model = load_family(family, narrow=True)
    if mode is None:
        with pytest.raises(ValueError, match=r"may or may not.*'patched_model'"):
            resolve_mode(ReferenceMode.AUTO, model)
    else:
        assert resolve_mode(ReferenceMode.AUTO, model).value == mode


def test_the_file_of_qwen_image_edit_2511_says_what_it_is():
    model = load_family(QWEN_IMAGE, narrow=True)
    model.model.diffusion_model.default_ref_method = "index_timestep_zero"
    assert resolve_mode(ReferenceMode.AUTO, model) is ReferenceMode.QWEN_EDIT


def test_qwen_edit_is_for_qwen():
    with pytest.raises(ValueError, match=r"Flux model is no Qwen-Image-Edit.*'reference_latents'"):
        resolve_mode(ReferenceMode.QWEN_EDIT, load_family(FLUX_DEV, narrow=True))


def test_krea_is_told_how_to_read_references_that_it_would_leave_unread():
    assert reference_method(load_family(KREA2, narrow=True)) == "index"
    for family in (FLUX_DEV, KLEIN, QWEN_IMAGE):
        assert reference_method(load_family(family, narrow=True)) is None


def lora(model):
    key = "diffusion_model.img_in.weight"
    model.add_patches({key: (torch.zeros_like(model.model.diffusion_model.img_in.weight),)}, 1)


def ip_adapter(model):
    model.set_model_attn2_patch(lambda n, *_: n)


def dit_block(model):
    model.set_model_patch_replace(lambda args, extra: extra, "dit", "double_block", 0)


def wrapper(model):
    model.add_wrapper("diffusion_model", lambda executor, *args: executor(*args))


def pulid(model):
    network = model.model.diffusion_model
    network.forward_orig = network.forward_orig


@pytest.mark.parametrize("patch", [lora, ip_adapter, dit_block, wrapper, pulid])
def test_anything_that_could_show_the_character_is_a_patch(patch):
    model = load_family(FLUX_DEV, narrow=True)
    assert not is_patched(model)
    patched = model.clone()
    patch(patched)
    assert is_patched(patched)
    assert resolve_mode(ReferenceMode.PATCHED_MODEL, patched) is ReferenceMode.PATCHED_MODEL


def test_a_shifted_schedule_shows_nobody():
    model = load_family(FLUX_DEV, narrow=True).clone()
    model.add_object_patch("model_sampling", model.model.model_sampling)
    with pytest.raises(ValueError, match="carries no patch"):
        resolve_mode(ReferenceMode.PATCHED_MODEL, model)


def test_saved_workflows_find_their_modes_where_they_were():
    assert [mode.value for mode in ReferenceMode] == [
        "auto",
        "reference_latents",
        "img2img",
        "patched_model",
        "qwen_edit",
        "trained_lora",
    ]
