"""Encodes the training pictures with the demo's autoencoder.

python facet.py world encode --out .facet/world
"""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from .autoencoder import encoder
from .dataset import PEOPLE, render_people
from .flow_data import encode
from .run import WEIGHTS, options


def main() -> None:
    """Encode at both sizes; a finished file stays as it is."""
    chosen = options("Encode the training pictures.", 0)
    stored = load_file(WEIGHTS / "vae.safetensors")
    network = encoder()
    network.load_state_dict(
        {
            k.removeprefix("taesd_encoder."): v.float()
            for k, v in stored.items()
            if k.startswith("taesd_encoder.")
        }
    )
    network = network.to(memory_format=torch.channels_last).eval()
    pictures = render_people(chosen.out / "train.npy", 0, PEOPLE)
    for name, shrink in (("8", 2), ("16", 1)):
        path = chosen.out / f"latents_{name}.npy"
        if not path.exists():
            encode(network, pictures, path, shrink)
