"""Trains the Flux transformer and the text model, first on half-size pictures, then on full ones.

    python facet.py world train_flow --out .facet/world --minutes 70

The learning rate is constant at first, then falls to nothing; an exponential average of the weights
is exported after every checkpoint, so that the newest export is always usable.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..engine.demo.text import MAX_TOKENS
from .clip import TextModel
from .flow_data import Batch, Batches
from .flux import Flux, rope_table
from .optimiser import Muon, stable_decay
from .run import WEIGHTS, Checkpoint, Clock, options

MUON_RATE, ADAM_RATE, WARM_UP = 0.015, 1.2e-3, 100
HALF_SIZE_UNTIL, DECAY_FROM = 0.3, 0.45
BATCH = {8: 64, 16: 32}
TIME_MEAN = {8: 0.0, 16: 0.3}
AVERAGE = 0.998
REFERENCE_NOISE = 0.05
SEED = 5


def export(flux: nn.Module, text: TextModel, used: list[int], folder: Path) -> None:
    """Write fp16 weights in ComfyUI's names: the transformer, and the text model's trained rows."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {k: v.detach().half().contiguous() for k, v in flux.state_dict().items()}
    save_file(halves, folder / "flux.part")
    (folder / "flux.part").replace(folder / "flux.safetensors")
    state: dict[str, Tensor] = {"ids": torch.tensor(used, dtype=torch.int32)}
    for name, value in text.state_dict().items():
        prefix = "text_model.encoder." if name.startswith("layers.") else "text_model."
        renamed = {"rows": "rows", "positions": "text_model.embeddings.position_embedding.weight"}
        state[renamed.get(name, prefix + name)] = value.detach().half().contiguous()
    save_file(state, folder / "text.part")
    (folder / "text.part").replace(folder / "text.safetensors")


def read_export(flux: nn.Module, text: TextModel, used: list[int], folder: Path) -> None:
    """Load what `export` wrote; raises ValueError when its token rows are other ones."""
    flux.load_state_dict({k: v.float() for k, v in load_file(folder / "flux.safetensors").items()})
    stored = load_file(folder / "text.safetensors")
    if stored.pop("ids").tolist() != used:
        raise ValueError(f"The text model in {folder} was trained on other words.")
    renamed = {"rows": "rows", "text_model.embeddings.position_embedding.weight": "positions"}
    text.load_state_dict(
        {
            renamed.get(k, k.removeprefix("text_model.").removeprefix("encoder.")): v.float()
            for k, v in stored.items()
        }
    )


class Trainer:
    """Networks, their average, and both optimisers."""

    def __init__(self, used: list[int], compiled: bool):
        self.used = used
        self.flux, self.text = Flux(), TextModel(used)
        self.both = nn.ModuleList([self.flux, self.text])
        self.average = copy.deepcopy(self.both)
        self.run = torch.compile(self.flux, dynamic=False) if compiled else self.flux
        matrices = [
            p
            for n, p in self.flux.named_parameters()
            if p.ndim == 2 and "_blocks" in n and ".lin." not in n
        ]
        chosen = {id(p) for p in matrices}
        rest = [p for p in self.both.parameters() if id(p) not in chosen]
        self.muon = Muon(matrices, block=256)
        self.adam = torch.optim.AdamW(
            [
                {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.01},
                {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
            ],
            lr=ADAM_RATE,
            betas=(0.9, 0.99),
            fused=True,
        )
        self.ropes = {
            (side, reference): rope_table(MAX_TOKENS, side // 2, reference, 16 // side)
            for side in (8, 16)
            for reference in (False, True)
        }

    def loss(self, batch: Batch) -> Tensor:
        """Weighted squared error of the velocity."""
        side = batch.latents.shape[-1]
        t = torch.sigmoid(torch.randn(len(batch.latents)) + TIME_MEAN[side])
        noise = torch.randn_like(batch.latents)
        mixed = torch.lerp(batch.latents, noise, t[:, None, None, None])
        reference = batch.reference
        if reference is not None:
            reference = reference + REFERENCE_NOISE * torch.randn_like(reference)
        with torch.autocast("cpu", torch.bfloat16):
            text, pooled = self.text(batch.tokens, batch.lengths)
            rope = self.ropes[side, reference is not None]
            velocity = self.run(mixed, t, text, pooled, reference, rope)
        return (batch.weights * (velocity.float() - (noise - batch.latents)).square()).mean()

    def step(self, batch: Batch, rate: float, steps: int) -> float:
        """One update of the weights and of their average."""
        for group in self.adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        loss = self.loss(batch)
        self.both.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        self.muon.step(MUON_RATE * rate, weight_decay=0.01)
        keep = min(AVERAGE, (1 + steps) / (10 + steps))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()), list(self.both.parameters()), 1 - keep
            )
        return loss.item()

    def state(self) -> dict:
        """Everything a resumed run needs."""
        return {
            "networks": self.both.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
            "muon": self.muon.state_dict(),
        }

    def load(self, state: dict) -> None:
        """Take over a saved state."""
        self.both.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        self.adam.load_state_dict(state["adam"])
        self.muon.load_state_dict(state["muon"])

    def export(self, folder: Path = WEIGHTS) -> None:
        """Write the average to `folder`."""
        flux, text = self.average
        export(flux, text, self.used, folder)


def main() -> None:
    """Train and export."""
    chosen = options("Train the flow model.", 70)
    clock, checkpoint = Clock(chosen.minutes), Checkpoint(chosen.out / "flow.pt")
    torch.manual_seed(SEED)
    batches = Batches(chosen.out, SEED)
    trainer = Trainer(batches.used, compiled=True)
    if state := checkpoint.load(clock):
        trainer.load(state)
    elif chosen.warm_start:
        read_export(trainer.flux, trainer.text, trainer.used, WEIGHTS)
        trainer.average.load_state_dict(trainer.both.state_dict())
    torch.manual_seed(SEED + clock.steps)
    batches.rng.seed(SEED + clock.steps)
    print(f"{len(batches.used)} token rows; from step {clock.steps}", flush=True)
    # Weights that know full-size pictures would unlearn them on half-size ones.
    half_size_until = 0.0 if chosen.warm_start else HALF_SIZE_UNTIL
    losses: dict[bool, list[float]] = {False: [], True: []}
    while clock.progress < 1:
        side = 8 if clock.progress < half_size_until else 16
        warm = min(1.0, (clock.steps + 1) / WARM_UP)
        batch = batches.draw(BATCH[side], side)
        rate = warm * stable_decay(clock.progress, DECAY_FROM) + 1e-3
        losses[batch.reference is not None].append(trainer.step(batch, rate, clock.steps))
        clock.steps += 1
        if clock.steps % 50 == 0:
            text, reference = (sum(v[-40:]) / max(1, len(v[-40:])) for v in losses.values())
            print(
                f"{clock.steps} steps {clock.seconds:.0f} s side {side} text {text:.4f} "
                f"reference {reference:.4f}",
                flush=True,
            )
        if checkpoint.due():
            checkpoint.save(trainer.state(), clock)
            trainer.export(chosen.out / "export")
    checkpoint.save(trainer.state(), clock)
    trainer.export()
