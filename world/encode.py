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
    encode(network, pictures, chosen.out / "latents_8.npy", 2)
    encode(network, pictures[:FULL_SIZE_PEOPLE], chosen.out / "latents_16.npy", 1)


if __name__ == "__main__":
    main()
