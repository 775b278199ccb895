"""LoRA files that other programs read, each checked by loading it the way ComfyUI does."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from ...comfyui.lora_metadata import called
from ...comfyui.lora_place import converted, patches_of
from ...core.character import Character
from ...core.errors import FacetError
from ...core.letters import has_word
from ...families.table import architecture_of
from ...store.tensors import read_tensors
from ..model.lora import RSLORA
from ..settings import ADAPTERS, TrainingSettings
from .names import LoraName, known_names, lora_names, weight_of

__all__ = [
    "LayerTensors",
    "UnusableLora",
    "check_lora",
    "lora_metadata",
    "lora_names",
    "lora_state_dict",
]

LayerTensors = Mapping[str, torch.Tensor]
"""One layer's tensors by the suffix that ComfyUI reads, as ``Adapter.file_tensors`` gives them."""

# Above this many values a file is written in half precision: 64 MB in single.
_LARGEST_IN_FULL = 16_000_000

RUN = "facet.run"
_REPEATS = 10
"""What Facet's own export for sd-scripts begins a folder's name with."""

_DOWN, _UP, _ALPHA = "lora_down.weight", "lora_up.weight", "alpha"

# kohya's network module of each kind of adapter, and its arguments.
_NETWORKS = dict(
    zip(
        ADAPTERS,
        (
            ("networks.lora", {}),
            ("lycoris.kohya", {"algo": "lora", "dora_wd": "True"}),
            # Its scale is in alpha: to every reader it is a plain LoRA.
            ("networks.lora", {}),
            ("lycoris.kohya", {"algo": "lokr"}),
            ("lycoris.kohya", {"algo": "loha"}),
        ),
        strict=True,
    )
)


class UnusableLora(FacetError):
    """A LoRA file that ComfyUI would not load, or that would change nothing."""


def lora_state_dict(
    layers: Mapping[str, LayerTensors], names: Mapping[str, LoraName]
) -> dict[str, torch.Tensor]:
    """The tensors of a LoRA file, from those of each layer by its name in the model.

    Layers with generic names get no alpha: their scale is taken into ``lora_B``.
    """
    size = sum(t.numel() for tensors in layers.values() for t in tensors.values())
    dtype = torch.float32 if size <= _LARGEST_IN_FULL else torch.float16
    state = {}
    for module, tensors in layers.items():
        for key, tensor in _written(tensors, names[module]):
            state[key] = tensor.to(dtype).contiguous()
    return state


def _written(tensors: LayerTensors, name: LoraName) -> list[tuple[str, torch.Tensor]]:
    if name.kohya or _UP not in tensors:
        return [(f"{name.key}.{suffix}", tensor) for suffix, tensor in tensors.items()]
    down, up = tensors[_DOWN], tensors[_UP]
    if _ALPHA in tensors:
        up = up * (float(tensors[_ALPHA]) / len(down))
    others = set(tensors) - {_DOWN, _UP, _ALPHA}
    # The parts share A, and each has its rows of B: exactly what was trained as one.
    keys = name.parts if name.parts and not others else (name.key,)
    written = []
    for key, rows in zip(keys, up.chunk(len(keys)), strict=True):
        written += [(f"{key}.lora_A.weight", down.clone()), (f"{key}.lora_B.weight", rows)]
    return written + [(f"{name.key}.{suffix}", tensors[suffix]) for suffix in sorted(others)]


def lora_metadata(
    model: Any, character: Character, settings: TrainingSettings, title: str, step: int, run: str
) -> dict[str, str]:
    """What the file says about itself: kohya's ss_*, the modelspec, and where it comes from.

    run: the fingerprint of its training, by which a LoRA is known for that training's own.
    No date, so that the same training gives the same file.
    """
    architecture = architecture_of(model)
    network, arguments = _NETWORKS[settings.adapter]
    pictures = [
        {"hash": shot.hash, "source": shot.provenance.source, "weight": shot.weight}
        for shot in character.dataset
    ]
    told = {
        "ss_network_module": network,
        "ss_network_args": json.dumps(arguments),
        "ss_network_dim": str(settings.rank),
        "ss_network_alpha": str(_alpha(settings)),
        "ss_base_model_version": architecture.base_version,
        "ss_output_name": title,
        "ss_learning_rate": repr(settings.learning_rate),
        "ss_unet_lr": repr(settings.learning_rate),
        "ss_lr_scheduler": settings.schedule,
        "ss_optimizer": settings.optimizer,
        "ss_max_train_steps": str(settings.steps),
        "ss_steps": str(step),
        "ss_num_train_images": str(len(pictures)),
        "ss_total_batch_size": str(settings.batch_size),
        "ss_gradient_checkpointing": str(settings.gradient_checkpointing),
        "ss_caption_dropout_rate": repr(settings.caption_dropout),
        "ss_guidance_scale": repr(settings.guidance),
        "ss_seed": str(settings.seed),
        **_dataset_metadata(character),
        "ss_session_id": character.hash[:16],
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": f"{architecture.name}/lora",
        "modelspec.implementation": architecture.implementation,
        "modelspec.title": title,
        "modelspec.trigger_phrase": ", ".join([character.phrase, *character.companions]),
        "facet.character": character.name,
        "facet.trigger": character.trigger,
        "facet.class_word": character.class_word,
        "facet.dataset_hash": character.hash,
        "facet.pictures": json.dumps(pictures),
        "facet.settings": json.dumps(settings.record(), sort_keys=True),
        "facet.step": str(step),
        RUN: run,
        "facet.subject": settings.subject,
    }
    if settings.text_encoder:
        told["ss_text_encoder_lr"] = repr(settings.text_encoder_rate)
    prediction = {"EPS": "epsilon", "V_PREDICTION": "v"}.get(model.model_type.name)
    return told | ({"modelspec.prediction_type": prediction} if prediction else {})


def _dataset_metadata(character: Character) -> dict[str, str]:
    """The folders and the tags that a training by sd-scripts would have had, where viewers look for
    the trigger.

    A folder for each character, of the pictures whose captions call it; a caption's tags are what
    stands between its commas.
    """
    folders: dict[str, dict[str, int]] = {}
    tags: dict[str, dict[str, int]] = {}
    for phrase in dict.fromkeys((character.phrase, *character.companions)):
        trigger = called(phrase).trigger
        captions = [shot.caption for shot in character.dataset if has_word(shot.caption, trigger)]
        counts = Counter(tag for text in captions for tag in map(str.strip, text.split(",")) if tag)
        name = f"{_REPEATS}_{phrase}"
        folders[name] = {"n_repeats": _REPEATS, "img_count": len(captions)}
        # The most frequent first, and no order of the dataset's.
        tags[name] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return {
        "ss_dataset_dirs": json.dumps(folders),
        "ss_tag_frequency": json.dumps(tags),
    }


def _alpha(settings: TrainingSettings) -> float:
    """The alpha that stands in the file."""
    alpha = float(settings.alpha or settings.rank)
    # Over the rank it has to give what rsLoRA scales by, alpha over the rank's root.
    return alpha * math.sqrt(settings.rank) if settings.adapter == RSLORA else alpha


def check_lora(path: Path, model: Any, modules: Iterable[str], encoder: Any = None) -> None:
    """Loads a LoRA file back as ComfyUI does, for ``model`` (a BaseModel).

    ``encoder`` is the text encoder's model where layers of it are among ``modules``.
    Raises UnusableLora when a key of it matches no layer, a layer of ``modules`` is missing, or
    the file would change nothing.
    """
    state = converted(read_tensors(path)[0])
    patches, unread = patches_of(state, known_names(model, encoder))
    found = {key if isinstance(key, str) else key[0] for key in patches}
    expected = {weight_of(module) for module in modules}
    odd = unread or sorted(found ^ expected)
    if odd:
        raise UnusableLora(
            f"{path.name} was saved, but {len(odd)} of its entries do not load in ComfyUI, such as "
            f"{odd[0]}; the file is of no use."
        )
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise UnusableLora(f"{path.name} holds values that are not numbers; train again, slower.")
    ends = (".lora_up.weight", ".lora_B.weight", ".lokr_w2", ".lokr_w2_b", ".hada_w2_a")
    grown = [value for key, value in state.items() if key.endswith(ends)]
    if not any(bool(value.any()) for value in grown):
        raise UnusableLora(f"{path.name} would change nothing: no step has moved its weights.")
