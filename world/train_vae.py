"""Trains the autoencoder on crops of rendered pictures and exports it.

python facet.py world train_vae --out .facet/world --minutes 12
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from .autoencoder import decoder, encoder, initialise
from .dataset import PEOPLE, render_people
from .identity import HELD_OUT_FROM
from .optimiser import Muon, stable_decay
from .run import WEIGHTS, Checkpoint, Clock, options

BATCH, CROP = 32, 64
MUON_RATE, ADAM_RATE = 0.02, 3e-3
SEED = 11


def crops(pictures: np.ndarray, rng: np.random.Generator, count: int, side: int) -> Tensor:
    """Random crops (count, 3, side, side) in 0..1; a quarter come from half-size pictures."""
    out = np.empty((count, side, side, 3), np.uint8)
    high = pictures.shape[2] - side + 1
    for row in out:
        person, number = rng.integers(pictures.shape[0]), rng.integers(pictures.shape[1])
        picture = pictures[person, number]
        if rng.random() < 0.25:
            row[:] = picture.reshape(side, 2, side, 2, 3).mean((1, 3)).astype(np.uint8)
            continue
        top, left = rng.integers(high), rng.integers(high)
        row[:] = picture[top : top + side, left : left + side]
    tensor = torch.from_numpy(out).permute(0, 3, 1, 2).float().div(255)
    return tensor.contiguous(memory_format=torch.channels_last)


def loss_of(picture: Tensor, again: Tensor, latent: Tensor) -> Tensor:
    """Absolute and squared error, error of the picture's gradients, latents held near N(0, 1)."""
    error = again - picture
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    mean, deviation = latent.mean((0, 2, 3)), latent.std((0, 2, 3))
    balance = mean.square().mean() + (deviation - 1).square().mean()
    return error.abs().mean() + 2 * error.square().mean() + 0.25 * edges + 0.02 * balance


@torch.inference_mode()
def psnr(enc: nn.Module, dec: nn.Module, pictures: np.ndarray) -> float:
    """Mean PSNR in dB over pictures (N, H, W, 3) uint8."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div(255)
    y = dec(enc(x)).clamp(0, 1)
    return float((-10 * torch.log10((y - x).square().mean((1, 2, 3)))).mean())


def export(enc: nn.Module, dec: nn.Module, path: Path) -> None:
    """Write both halves as fp16 in TAESD's names, at the trained width."""
    state = {f"taesd_encoder.{k}": v for k, v in enc.state_dict().items()}
    state |= {f"taesd_decoder.{k}": v for k, v in dec.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in state.items()}, path)


def main() -> None:
    """Train and export."""
    chosen = options("Train the autoencoder.", 12)
    torch.manual_seed(SEED)
    train = render_people(chosen.out / "train.npy", 0, PEOPLE)
    held_out = render_people(chosen.out / "held_out.npy", HELD_OUT_FROM, 200)[:, 1]
    enc, dec = encoder(), decoder()
    for network in (enc, dec):
        initialise(network)
    dec[-1].bias.data.fill_(0.5)
    both = nn.ModuleList([enc, dec]).to(memory_format=torch.channels_last)
    edges = {id(enc[0].weight), id(dec[-1].weight)}
    matrices = [p for p in both.parameters() if p.ndim == 4 and id(p) not in edges]
    rest = [p for p in both.parameters() if p.ndim != 4 or id(p) in edges]
    muon = Muon(matrices, momentum=0.9)
    adam = torch.optim.AdamW(rest, lr=ADAM_RATE, weight_decay=0.0, betas=(0.9, 0.98))
    clock, checkpoint = Clock(chosen.minutes), Checkpoint(chosen.out / "vae.pt", 200)
    if state := checkpoint.load(clock):
        both.load_state_dict(state["networks"])
        adam.load_state_dict(state["adam"])
        muon.load_state_dict(state["muon"])
    rng = np.random.default_rng(SEED + clock.steps)

    def save() -> None:
        checkpoint.save(
            {"networks": both.state_dict(), "adam": adam.state_dict(), "muon": muon.state_dict()},
            clock,
        )

    while clock.progress < 1:
        rate = min(1.0, (clock.steps + 1) / 50) * stable_decay(clock.progress, 0.2) + 1e-4
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        picture = crops(train, rng, BATCH, CROP)
        with torch.autocast("cpu", torch.bfloat16):
            latent = enc(picture)
            again = dec(latent + 0.05 * torch.randn_like(latent))
        loss = loss_of(picture, again.float(), latent.float())
        both.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        muon.step(MUON_RATE * rate)
        clock.steps += 1
        if clock.steps % 100 == 0:
            per_second = clock.steps * BATCH / clock.seconds
            print(
                f"{clock.steps} steps {clock.seconds:.0f} s loss {loss.item():.4f} "
                f"{per_second:.0f}/s",
                flush=True,
            )
        if clock.steps % 1000 == 0:
            print(f"held-out PSNR {psnr(enc, dec, held_out[:50]):.2f} dB", flush=True)
        if checkpoint.due():
            save()
    save()
    print(f"held-out PSNR {psnr(enc, dec, held_out):.2f} dB", flush=True)
    export(enc, dec, WEIGHTS / "vae.safetensors")
