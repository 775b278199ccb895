"""Studios of the models that a test has."""

from __future__ import annotations

from typing import Any

from facet.engine.comfyui.sampling import Sampling
from facet.engine.families.modes import ReferenceMode
from facet.engine.studio.studio import Studio


def studio_of(
    models: Any, mode: ReferenceMode = ReferenceMode.AUTO, *, side: int = 64, **sampling: Any
) -> Studio:
    """A studio of ``models``, which have a model, a clip and a vae, for squares of one step."""
    given = {"width": side, "height": side, "steps": 1, "cfg": 1.0, **sampling}
    return Studio(models.model, models.clip, models.vae, Sampling(**given), mode)
