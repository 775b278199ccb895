"""Between which numbers a setting works, and the sentences when it does not."""

from __future__ import annotations

MOST_EVER = 1_000_000
"""Steps of the longest run."""

NUMBERS: dict[str, tuple[float, float]] = {
    "steps": (0, MOST_EVER),
    "rank": (1, 1024),
    "learning_rate": (1e-9, 1.0),
    "batch_size": (1, 1024),
    "resolution": (0, 8192),
    "warmup": (0.0, 1.0),
    "weight_decay": (0.0, 1.0),
    "clip": (1e-6, 1e6),
    "ema": (0.0, 0.99999),
    "caption_dropout": (0.0, 1.0),
    "timestep_shift": (0.01, 100.0),
    "guidance": (0.0, 100.0),
    "checkpoint_every": (0, 1_000_000),
    "alpha": (0.0, 1e6),
    "restarts": (1, 1000),
    "repeats": (0, 100_000),
    "epochs": (0, 100_000),
    "snr_gamma": (0.1, 1000.0),
    "mask_outside": (0.0, 1.0),
    "prior_outside": (0.0, 100.0),
    "prior_class": (0.0, 100.0),
    "generated_from": (0.0, 1.0),
    "generated_to": (0.0, 1.0),
    "micro_batch": (0, 1024),
    "vram": (0.0, 1024.0),
    "validation_shots": (0, 10_000),
    "validate_every": (0, 1_000_000),
    "sample_every": (0, 1_000_000),
    "patience": (0, 10_000),
    "text_encoder_rate": (1e-9, 1.0),
    "sample_steps": (1, 1000),
    "sample_cfg": (0.0, 100.0),
}


def check_number(name: str, value: float, low: float, high: float) -> None:
    """Raises ValueError when ``value`` is no number from ``low`` to ``high``."""
    if not (isinstance(value, int | float) and low <= value <= high):
        raise ValueError(f"{name} is {value}; give a number from {low:g} to {high:g}.")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises ValueError when ``value`` is none of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
