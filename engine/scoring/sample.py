"""One sample: an image that was made to be scored, and what was measured in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..vision.copies import Nearest
from .adherence import NOTHING, Shown, right_colours, right_expression, right_framing, right_view
from .protocol import TestPrompt

CLOSE = 0.5
"""Half the way from strangers to the character."""
SPOILED = 1.8
"""So many times the sharpness or chroma of the sample without LoRA, or that part, is too far."""


@dataclass(frozen=True)
class ScoredSample:
    """An image that was made, and what was measured in it.

    similarity: cosine with the original. score: the same, calibrated. to_set: median cosine with
    the dataset's own shots. to_held_out: with the pictures that were held out, None without any.
    yaw, pitch: degrees, None when no face was found or no face model looked. face: whether there is
    one, None when no face model looked. expression: its blendshapes, in the order of their names.
    sharpness, chroma: of the image, see measure.py. wears_own: whether the dataset's own garment
    shows, None when no clothes were seen or there is no such garment. shown: what else it shows of
    what was asked for.
    """

    prompt: TestPrompt
    text: str
    similarity: float
    score: float | None
    yaw: float | None
    nearest: Nearest
    to_set: float = 0.0
    face: bool | None = None
    pitch: float | None = None
    expression: tuple[float, ...] = ()
    sharpness: float = 0.0
    chroma: float = 0.0
    wears_own: bool | None = None
    shown: Shown = NOTHING
    to_held_out: float | None = None

    @property
    def right_view(self) -> bool | None:
        """Whether the view asked for is seen; see `adherence.right_view`."""
        return right_view(self.prompt.tags.view, self.yaw, self.shown)

    @property
    def right_framing(self) -> bool | None:
        return right_framing(self.prompt.tags.framing, self.shown)

    @property
    def right_expression(self) -> bool | None:
        return right_expression(self.prompt.tags.expression, self.shown)

    @property
    def right_colours(self) -> tuple[bool, ...]:
        """Whether each colour asked for is seen: of the clothes, of a plain background."""
        return right_colours(self.text, self.shown)

    @property
    def pose_copied(self) -> bool | None:
        """Whether the person alone is that of a training image; None where nobody is cut out."""
        figure = self.nearest.figure
        return None if figure is None else figure.copied

    def spoiled(self, baseline: ScoredSample) -> bool:
        """Whether it is blurred, noisy, burnt or faded beside ``baseline``, made without LoRA."""
        pairs = ((self.sharpness, baseline.sharpness), (self.chroma, baseline.chroma))
        return any(
            without > 0 and not 1 / SPOILED <= value / without <= SPOILED
            for value, without in pairs
        )


def of_kind(samples: Sequence[ScoredSample], *kinds: str) -> tuple[ScoredSample, ...]:
    """Those of ``samples`` whose prompts are of ``kinds``, kind by kind."""
    return tuple(one for kind in kinds for one in samples if one.prompt.kind == kind)
