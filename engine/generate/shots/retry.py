"""What the next try of a shot does differently: each cause of failure has its remedy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ...families.modes import ReferenceMode
from .gates import FRAMING_GATE, IDENTITY_GATE, PERSONS_GATE, SHARPNESS_GATE, VIEW_GATE

AVOIDED = {
    SHARPNESS_GATE: "blurry, out of focus",
    PERSONS_GATE: "two people, several people, split picture",
}
"""What a retry adds to the negative, by the gate that failed. A duplicate gets a new seed only."""


@dataclass(frozen=True)
class RetryRules:
    """How a shot is tried again.

    tries: how often at most. view_words_after: wrong views from which on the view is said in
    stronger words; a framing is from the first. stronger_words, stronger_likeness, negative_words:
    whether these remedies are used; a new seed always is. less_denoise: what img2img's denoise is
    multiplied by, and more_cfg what a cfg above 1 is, for each time it was somebody else.
    """

    tries: int = 3
    view_words_after: int = 2
    stronger_words: bool = True
    stronger_likeness: bool = True
    negative_words: bool = True
    less_denoise: float = 0.85
    more_cfg: float = 1.15


@dataclass(frozen=True)
class Remedy:
    """What a try does differently from the first one, besides its seed.

    stronger: axes of the tags that are said in stronger words. avoid: words for the negative.
    likeness: how often the likeness is strengthened.
    """

    stronger: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    likeness: int = 0


def remedy(failures: Sequence[Collection[str]], rules: RetryRules) -> Remedy:
    """The remedy for a shot whose tries so far failed the gates in ``failures``, in order."""

    def times(gate: str) -> int:
        return sum(gate in one for one in failures)

    stronger = []
    if rules.stronger_words:
        if times(VIEW_GATE) >= max(1, rules.view_words_after):
            stronger.append("view")
        if times(FRAMING_GATE):
            stronger.append("framing")
    avoid = [words for gate, words in AVOIDED.items() if times(gate)]
    return Remedy(
        tuple(stronger),
        tuple(avoid) if rules.negative_words else (),
        times(IDENTITY_GATE) if rules.stronger_likeness else 0,
    )


@dataclass(frozen=True)
class Likeness:
    """How strongly a try holds to the original.

    unseen: the negative does not see the reference, so that classifier-free guidance moves towards
    the reference as well as towards the words.
    """

    unseen: bool
    cfg: float
    denoise: float

    def strengthened(self, times: int, mode: ReferenceMode, rules: RetryRules) -> Likeness:
        """More of the original, by what ``mode`` can do.

        img2img starts nearer to it. A model that sees it and is sampled with a cfg above 1 takes it
        out of the negative first, and raises the cfg from then on. Anything else (a distilled model
        at cfg 1, a MODEL with a LoRA or patched by other nodes) has nothing to turn here, and gets
        a new seed.
        """
        if mode is ReferenceMode.IMG2IMG:
            return Likeness(self.unseen, self.cfg, self.denoise * rules.less_denoise**times)
        blind = mode in (ReferenceMode.PATCHED_MODEL, ReferenceMode.TRAINED_LORA)
        if blind or self.cfg <= 1 or not times:
            return self
        raised = times if self.unseen else times - 1
        return Likeness(True, self.cfg * rules.more_cfg**raised, self.denoise)
