"""Loads the embedded demo models through ComfyUI's own classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..comfyui.internals import internal
from ..comfyui.sampling import Sampling
from ..families.modes import ReferenceMode
from ..studio.judge import Judge
from ..studio.studio import Studio
from .face import DemoFaceModel, HeadFinder, LandmarkReader
from .person import DemoBackgroundModel, PersonFinder
from .text import clip_config, token_table, tokenizer_class

if TYPE_CHECKING:
    import comfy.clip_vision
    import comfy.model_patcher
    import comfy.sd

WEIGHTS = Path(__file__).resolve().parent / "weights"
FLUX_SCALE, FLUX_SHIFT = 0.3611, 0.1159
TAESD_WIDTH = 64
IMAGE_SIZE, PATCH, VISION_WIDTH, VISION_LAYERS, VISION_HEADS, PROJECTION = 128, 16, 128, 4, 4, 64
"""Sizes of the CLIP_VISION identity encoder."""
RESOLUTION = 128
"""Side in pixels of the pictures that the demo models know."""


@dataclass(frozen=True)
class DemoModels:
    """What `FacetDemoModels` puts out."""

    model: comfy.model_patcher.ModelPatcher
    clip: comfy.sd.CLIP
    vae: comfy.sd.VAE
    clip_vision: comfy.clip_vision.ClipVisionModel
    face: DemoFaceModel
    background: DemoBackgroundModel

    def studio(self) -> Studio:
        """What makes pictures, set as suits these models."""
        return Studio(
            self.model,
            self.clip,
            self.vae,
            Sampling(steps=20, cfg=3.0),
            ReferenceMode.REFERENCE_LATENTS,
            strengthen_likeness=True,
        )

    def judge(self) -> Judge:
        """What measures pictures."""
        return Judge(self.face, self.clip_vision, background=self.background)


def _read(folder: Path, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A weight file's tensors and metadata.

    Raises RuntimeError with a sentence for people when the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise RuntimeError(
            f"Facet Demo Models: {path.name} is missing from {folder}. Install Facet again, or "
            "fetch the file from its repository."
        )
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as problem:
        raise RuntimeError(
            f"Facet Demo Models: {path.name} in {folder} is damaged ({problem}). Install Facet "
            "again, or fetch the file from its repository."
        ) from problem


def padded_autoencoder(slim: dict[str, Tensor]) -> dict[str, Tensor]:
    """TAESD weights of any smaller width as the 64 wide ones of ComfyUI; zeros change nothing."""
    width = slim["taesd_encoder.0.weight"].shape[0]
    full: dict[str, Tensor] = {}
    for name, value in slim.items():
        shape = [TAESD_WIDTH if i < 2 and n == width else n for i, n in enumerate(value.shape)]
        padded = torch.zeros(shape)
        padded[tuple(slice(0, n) for n in value.shape)] = value.float()
        full[name] = padded
    full["vae_scale"] = torch.tensor(FLUX_SCALE)
    full["vae_shift"] = torch.tensor(FLUX_SHIFT)
    return full


def load_model(folder: Path = WEIGHTS) -> comfy.model_patcher.ModelPatcher:
    """The Flux transformer."""
    import comfy.sd

    state, _ = _read(folder, "flux")
    model = comfy.sd.load_diffusion_model_state_dict(state)
    if model is None:
        raise RuntimeError("Facet Demo Models: this ComfyUI cannot load flux.safetensors.")
    return model


def load_vae(folder: Path = WEIGHTS) -> comfy.sd.VAE:
    """The autoencoder."""
    import comfy.sd

    state, _ = _read(folder, "vae")
    vae = comfy.sd.VAE(sd=padded_autoencoder(state))
    vae.throw_exception_if_invalid()
    return vae


def load_clip(folder: Path = WEIGHTS) -> comfy.sd.CLIP:
    """The text model."""
    import comfy.sd
    import comfy.sd1_clip

    stored, _ = _read(folder, "text")
    table = token_table(stored.pop("rows"), stored.pop("ids"))
    prefix = "clip_l.transformer."
    state = {f"{prefix}{name}": value.float() for name, value in stored.items()}
    state[f"{prefix}text_model.embeddings.token_embedding.weight"] = table
    state[f"{prefix}text_projection.weight"] = torch.eye(table.shape[1])
    return comfy.sd.CLIP(
        internal("ClipTarget")(tokenizer_class(), comfy.sd1_clip.SD1ClipModel),
        state_dict=state,
        model_options={"clip_l_model_config": clip_config()},
    )


def vision_config() -> dict[str, Any]:
    """The identity encoder's sizes in the words of a CLIP vision config."""
    return {
        "name": "Facet's demo encoder",
        "model_type": "clip_vision_model",
        "num_hidden_layers": VISION_LAYERS,
        "hidden_size": VISION_WIDTH,
        "num_attention_heads": VISION_HEADS,
        "intermediate_size": 4 * VISION_WIDTH,
        "hidden_act": "gelu_pytorch_tanh",
        "image_size": IMAGE_SIZE,
        "patch_size": PATCH,
        "num_channels": 3,
        "projection_dim": PROJECTION,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }


def load_clip_vision(folder: Path = WEIGHTS) -> comfy.clip_vision.ClipVisionModel:
    """The identity encoder."""
    import comfy.clip_vision

    state, _ = _read(folder, "identity")
    encoder = comfy.clip_vision.ClipVisionModel(vision_config())
    missing, _ = encoder.load_sd({name: value.float() for name, value in state.items()})
    if missing:
        raise RuntimeError(f"Facet Demo Models: identity.safetensors lacks {', '.join(missing)}.")
    return encoder


def load_face(folder: Path = WEIGHTS) -> DemoFaceModel:
    """The face-landmark model."""
    state, metadata = _read(folder, "face")

    def part(prefix: str) -> dict[str, Any]:
        chosen = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        return {k: v.float() if v.is_floating_point() else v for k, v in chosen.items()}

    finder = HeadFinder()
    finder.load_state_dict(part("finder."))
    reader = LandmarkReader(state["reader.basis"].shape[0])
    reader.load_state_dict(part("reader."))
    names = ("canonical_vertices", "procrustes_indices", "procrustes_weights")
    edges = {k: frozenset(map(tuple, v.tolist())) for k, v in part("topology.").items()}
    parts = ("face_oval", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow", "lips")
    edges["contours"] = frozenset().union(*(edges[name] for name in parts))
    edges["all"] = edges["contours"] | edges["irises"] | edges["nose"]
    return DemoFaceModel(
        finder,
        reader,
        {name: state[name].numpy() for name in names},
        edges,
        tuple(metadata["blendshapes"].split()),
    )


def load_background(folder: Path = WEIGHTS) -> DemoBackgroundModel:
    """The background-removal model."""
    state, _ = _read(folder, "person")
    finder = PersonFinder()
    finder.load_state_dict(state)
    return DemoBackgroundModel(finder)


def load_models(folder: Path = WEIGHTS) -> DemoModels:
    """All demo models. Raises RuntimeError when a weight file is missing or damaged."""
    return DemoModels(
        load_model(folder),
        load_clip(folder),
        load_vae(folder),
        load_clip_vision(folder),
        load_face(folder),
        load_background(folder),
    )
