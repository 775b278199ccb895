"""Krea 2, RAW and Turbo."""

from __future__ import annotations

from .family import Architecture, Family, ReferenceMode

KREA2 = Family(
    "krea2",
    "Krea 2",
    ("Krea2",),
    references=(ReferenceMode.REFERENCE_LATENTS,),
    architecture=Architecture("krea2", "krea-2"),
    distilled=None,  # the Turbo's file looks like that of RAW
    train_instead="Krea 2 RAW",
)
