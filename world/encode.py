"""Encodes the training pictures with the trained autoencoder.

    python -m world.encode --out .facet/world
"""

from __future__ import annotations

import torch
from torch import nn

from .autoencoder import decoder, encoder
from .dataset import PEOPLE, render_people
from .flow_data import FULL_SIZE_PEOPLE, encode
from .run import options


def main() -> None:
    """Encode."""
    chosen = options("Encode the training pictures.", 0)
    both = nn.ModuleList([encoder(), decoder()])
    both.load_state_dict(torch.load(chosen.out / "vae.pt", weights_only=True)["networks"])
    pictures = render_people(chosen.out / "train.npy", 0, PEOPLE)
    network = both[0].to(memory_format=torch.channels_last).eval()
    for name, people, shrink in (("8", PEOPLE, 2), ("16", FULL_SIZE_PEOPLE, 1)):
        path = chosen.out / f"latents_{name}.npy"
        if not path.exists():
            encode(network, pictures[:people], path, shrink)


if __name__ == "__main__":
    main()
