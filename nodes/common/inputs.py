"""Inputs that several nodes share, so that they read alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.vision.colours import to_rgb
from . import sockets


def studio_input(tooltip: str, optional: bool = False, raw: bool = False) -> io.Input:
    """What makes the pictures. raw: the node is given where it comes from and not what it is."""
    return sockets.Studio.Input("studio", optional=optional, raw_link=raw or None, tooltip=tooltip)


def judge_input(measured: str, raw: bool = False) -> io.Input:
    """What measures the pictures; ``measured`` says what, as a sentence."""
    return sockets.Judge.Input(
        "judge",
        optional=True,
        raw_link=raw or None,
        tooltip=f"{measured} Checks whose model the judge lacks are skipped.",
    )


def seed_input() -> io.Input:
    """The seed, which stays as it is from run to run."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        control_after_generate=io.ControlAfterGenerate.fixed,
        tooltip="The same seed and inputs give the same images.",
    )


def panel_input(name: str, tooltip: str) -> io.Input:
    """A text that the node's panel keeps and hides, and that a script may give."""
    return io.String.Input(
        name,
        default="",
        optional=True,
        advanced=True,
        dynamic_prompts=False,
        socketless=True,
        extra_dict={"hidden": True},
        tooltip=tooltip,
    )


def pictures_of(
    images: torch.Tensor | Sequence[torch.Tensor] | None,
) -> tuple[torch.Tensor, ...]:
    """Each picture (H, W, 3) of an IMAGE batch (B, H, W, C); none without one."""
    return () if images is None else tuple(to_rgb(image) for image in images)


def picture(image: torch.Tensor, node: str) -> torch.Tensor:
    """The one picture (H, W, 3) of an IMAGE of any channel count; FacetError when it is not one.

    Transparency is laid over white, grey becomes colour.
    """
    if image.ndim != 4 or image.shape[0] != 1:
        count = image.shape[0] if image.ndim == 4 else 0
        raise FacetError(f"{node}: {count} images are connected; give one.")
    return to_rgb(image[0])
