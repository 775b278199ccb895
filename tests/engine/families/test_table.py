"""The records of the families: whole, against ComfyUI's own classes, and the only place."""

from __future__ import annotations

import ast
import inspect
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comfy.model_base
import comfy.supported_models
import pytest
import torch

from facet.engine.captions.words import form_of
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.kohya import train_sh
from facet.engine.families import dialects, table
from facet.engine.families.dialects import dialect_for, load, names
from facet.engine.families.family import (
    Architecture,
    Family,
    Form,
    LoraNames,
    ReferenceMode,
    UsualSampling,
)
from facet.engine.families.modes import resolve_mode
from facet.engine.families.recipes import exported
from facet.engine.families.table import FAMILIES, UNKNOWN, architecture_of, family, family_of
from facet.engine.training.files.names import lora_names
from facet.engine.training.progress.samples import usual_sampling
from harness.families import FLUX_DEV, QWEN_IMAGE, SDXL, ZIMAGE, load_family

SUPPORTED = {
    name
    for name, one in vars(comfy.supported_models).items()
    if inspect.isclass(one) and issubclass(one, comfy.supported_models.supported_models_base.BASE)
}


def faults(families: Sequence[Family]) -> list[str]:
    """What is wrong with records, a sentence each."""
    classes = Counter(name for one in families for name in one.classes)
    keys = Counter(one.key for one in families)
    found = [
        f"{name} is in the records of {count} families; keep it in one."
        for name, count in classes.items()
        if count > 1
    ]
    found += [
        f"{name} is no class of comfy.supported_models; spell it as ComfyUI does."
        for name in classes.keys() - SUPPORTED
    ]
    found += [
        f"{count} families are called {key!r}; give each a key of its own."
        for key, count in keys.items()
        if count > 1
    ]
    return [*found, *(fault for one in families for fault in own_faults(one))]


def own_faults(one: Family) -> list[str]:
    """What is wrong with one record by itself."""
    missing = {one.words, *one.words_by_mode.values()} - set(names())
    found = [f"{one.label} has no words: there is no words/{words}.json." for words in missing]
    if one.always_edits and not one.references:
        found.append(f"{one.label} always edits, and takes no references; say which mode.")
    if one.captions is Form.AUTO:
        found.append(f"{one.label} is captioned 'auto'; say phrases, sentences or tags.")
    return found


def of_class(name: str) -> Any:
    """A ModelPatcher of that configuration, as far as a family is known by it."""
    config = getattr(comfy.supported_models, name)
    return SimpleNamespace(model=SimpleNamespace(model_config=config.__new__(config)))


def test_the_records_are_whole():
    assert faults(FAMILIES) == []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (replace(family("krea2"), key="mine"), "Krea2 is in the records of 2 families"),
        (replace(UNKNOWN, classes=("Krea3",)), "Krea3 is no class of comfy.supported_models"),
        (replace(UNKNOWN, key="flux"), "2 families are called 'flux'"),
        (replace(UNKNOWN, words="krea"), "has no words: there is no words/krea.json"),
        (replace(UNKNOWN, always_edits=True), "takes no references"),
        (replace(UNKNOWN, captions=Form.AUTO), "is captioned 'auto'"),
    ],
)
def test_a_broken_record_is_told_in_one_sentence(broken, says):
    found = faults([*FAMILIES, broken])
    assert len(found) == 1 and says in found[0]


def test_the_families_to_train_elsewhere_stand_in_the_order_of_saved_workflows():
    assert [one.key for one in exported()] == [
        "flux",
        "sdxl",
        "sd15",
        "chroma",
        "qwen_image",
        "z_image",
        "flux2",
    ]
    with pytest.raises(ValueError, match="There is no model family 'flux9'; take one of flux, "):
        family("flux9")


@pytest.mark.parametrize("one", [FLUX_DEV, SDXL, QWEN_IMAGE, ZIMAGE], ids=lambda one: one.name)
def test_a_model_and_its_patcher_are_of_one_family(one):
    model = load_family(one, narrow=True)
    assert one.name in family_of(model).classes
    assert family_of(model.model) is family_of(model)


def test_a_class_that_derives_from_a_familys_is_of_it_but_for_references():
    assert family_of(of_class("WAN21_I2V")).key == "wan"
    assert family_of(of_class("SSD1B")).words == "sdxl"
    assert family_of(of_class("HunyuanVideo15")).captions is Form.SENTENCES
    # Flux2 derives from Flux, and has a record of its own.
    assert family_of(of_class("Flux2")).key == "flux2"
    derived = type("FluxNext", (comfy.supported_models.Flux,), {})
    known = family_of(SimpleNamespace(model_config=derived.__new__(derived)))
    assert (known.key, known.references) == ("flux", ())


def test_an_unknown_class_is_called_by_its_own_name():
    model = of_class("SAM3")
    assert family_of(model) is UNKNOWN
    comfyui = "https://github.com/comfy-org/ComfyUI"
    assert architecture_of(model) == Architecture("sam3", "sam3", comfyui)


def test_distilled_families_say_what_to_train_instead():
    for one in FAMILIES:
        assert bool(one.train_instead) == (one.distilled is not False), one.key


def named(name: str, class_name: str = "ZImage") -> Any:
    """A model of ComfyUI's class ``class_name`` as its loader gives it for a file ``name``."""
    made = (lambda path, options: None, (f"/models/{name}", {})) if name else None
    model = of_class(class_name)
    model.model.model_config.unet_config = {}
    return SimpleNamespace(model=model.model, cached_patcher_init=made, patches={})


@pytest.mark.parametrize(
    ("name", "class_name", "distilled"),
    [
        ("z_image_turbo_bf16.safetensors", "ZImage", True),
        ("z_image_bf16.safetensors", "ZImage", False),
        ("Z-Image-De-Turbo.safetensors", "ZImage", False),
        ("krea2_turbo_fp8_scaled.safetensors", "Krea2", True),
        ("krea2_raw_bf16.safetensors", "Krea2", False),
        ("flux-2-klein-4b-fp8.safetensors", "Flux2", True),
        ("flux-2-klein-base-4b.safetensors", "Flux2", False),
        ("flux2_dev_fp8mixed.safetensors", "Flux2", False),
        ("flux1-schnell.safetensors", "FluxSchnell", True),
        ("anything.safetensors", "FluxSchnell", True),
        ("flux1-dev.safetensors", "Flux", False),
        ("sd_xl_turbo_1.0_fp16.safetensors", "SDXL", True),
        ("dreamshaperXL_lightningDPMSDE.safetensors", "SDXL", True),
        ("Hyper-SDXL-8steps.safetensors", "SDXL", True),
        ("sd_xl_base_1.0.safetensors", "SDXL", False),
        ("falcmask.safetensors", "SD15", False),
        ("", "ZImage", False),
        ("", "FluxSchnell", False),
    ],
)
def test_a_distilled_model_is_known_by_its_family_or_its_file(
    name: str, class_name: str, distilled: bool
):
    model = named(name, class_name)
    assert table.is_distilled(model) is distilled
    if distilled:
        assert table.usual_sampling(model).cfg == 1.0
        assert table.usual_sampling(model).steps in (4, 8)


# docs/adding-a-family.md, tried: SAM3 is a class that no family has.
ADDED = Family(
    "new",
    "New Image",
    ("SAM3",),
    references=(ReferenceMode.REFERENCE_LATENTS,),
    always_edits=True,
    words="new",
    captions=Form.TAGS,
    sampling=UsualSampling(1.5, "beta", 8),
    lora_names=LoraNames.KOHYA,
    architecture=Architecture("new", "new-image"),
    recipes={"sd_scripts": {"script": "new.py", "network": "net.new", "models": [], "options": []}},
)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A model of a family that was added: its record, its words and its line in the table."""
    shutil.copy(dialects.FOLDER / "plain.json", tmp_path)
    known = json.loads((tmp_path / "plain.json").read_text("utf-8"))
    prompts = dict.fromkeys(dialects.PROMPTS, "new words, {words}")
    (tmp_path / "new.json").write_text(json.dumps(known | {"prompt": prompts}), "utf-8")
    monkeypatch.setattr(dialects, "FOLDER", tmp_path)
    monkeypatch.setattr(table, "FAMILIES", (*FAMILIES, ADDED))
    model = load_family(FLUX_DEV, narrow=True)
    config = comfy.supported_models.SAM3.__new__(comfy.supported_models.SAM3)
    config.unet_config = model.model.model_config.unet_config
    model.model.model_config = config
    return model


def test_a_family_that_is_added_reaches_all_that_differs_by_family(added):
    assert resolve_mode(ReferenceMode.AUTO, added) is ReferenceMode.REFERENCE_LATENTS
    assert dialect_for("auto", added, "reference_latents").name == "new"
    assert form_of(Form.AUTO, added) is Form.TAGS
    sampling = usual_sampling(added, 512)
    assert (sampling.steps, sampling.cfg, sampling.scheduler) == (8, 1.5, "beta")
    assert architecture_of(added).base_version == "new"
    layer = "double_blocks.0.img_attn.qkv"
    names = lora_names(added.model, [layer])
    assert names[layer].key == "lora_unet_double_blocks_0_img_attn_qkv"
    assert exported()[-1] is ADDED
    shot = Shot(torch.zeros(8, 8, 3), Provenance("original"))
    assert "new.py" in str(train_sh(Character("Ada", "zqx", "person", shot), family("new")))


def test_no_class_of_comfyui_is_named_outside_the_records(root: Path):
    classes = {name for one in FAMILIES for name in one.classes} | {"BaseModel"}
    named = []
    for path in (*root.glob("engine/**/*.py"), *root.glob("nodes/**/*.py")):
        if path.is_relative_to(root / "engine" / "families"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            literal = isinstance(node, ast.Constant) and node.value in classes
            module = isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(
                ("model_base", "supported_models")
            )
            imported = isinstance(node, ast.ImportFrom | ast.Import) and any(
                name.name.endswith(("model_base", "supported_models")) for name in node.names
            )
            if literal or module or imported:
                named.append(f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}")
    for path in (*root.glob("engine/**/*.json"), *root.glob("nodes/**/*.json")):
        if path.is_relative_to(root / "engine" / "families"):
            continue
        text = path.read_text("utf-8")
        named += [f"{path.relative_to(root)}: {name}" for name in classes if f'"{name}"' in text]
    assert named == [], "say it in the family's record (engine/families/) and read it there"


def test_a_prompt_table_may_leave_out_what_a_caption_says_as_well():
    assert load("plain").words == {}
