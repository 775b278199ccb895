"""A head turned further than pixels can be moved: a new shot in the view nearest to that."""

from __future__ import annotations

from dataclasses import replace

from ...core.character import VIEW_YAW, Character, Shot, Tags
from ...core.errors import FacetError
from ...families.modes import ReferenceMode, resolve_mode
from ...studio.studio import Studio
from .gates import Gates
from .make import plain_shoot
from .plan import ShotPlan, ShotRequest
from .store import ShotStore

AROUND = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")
"""The views that differ from one another by yaw alone, and show a face."""


def shows_the_original(studio: Studio | None) -> bool:
    """Whether the model of ``studio`` knows whom to show in another view."""
    if studio is None:
        return False
    try:
        return resolve_mode(studio.mode, studio.model) is not ReferenceMode.IMG2IMG
    except FacetError:  # "auto", with a model that is shown nothing by itself
        return False


def nearest_view(yaw: float) -> str:
    """The view nearest to ``yaw`` degrees, negative when the nose points to the picture's left."""
    return min(AROUND, key=lambda view: abs(VIEW_YAW[view] - yaw))


def view_after(yaw: float, turn: float, nod: float) -> str | None:
    """The view of a head at ``yaw`` that turns by ``turn`` and raises its nose by ``nod`` degrees.

    None where the turn is too small for another view than it is seen in now.
    """
    if abs(nod) > abs(turn):
        return "low" if nod > 0 else "top"
    view = nearest_view(yaw + turn)
    return None if view == nearest_view(yaw) else view


def turned_shot(
    character: Character, studio: Studio, gates: Gates, seed: int, tags: Tags, store: ShotStore
) -> Shot:
    """A shot of ``character`` that shows ``tags``, made from the original; measured and retried.

    The tries are kept in ``store``, and one that is there is not made again.
    """
    plan = ShotPlan((ShotRequest(replace(tags, details=())),))
    return plain_shoot(character, studio, gates, seed).run(plan, store)[0]
