"""Numbers and prompts as a reader sees them, in the verdict and in the report."""

from __future__ import annotations

from .sample import ScoredSample

MINUS, DASH, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


def two_places(value: float | None) -> str:
    """``value`` as in '0.82'; a dash for None."""
    # Adding 0 makes a rounded -0 a plain 0.
    return DASH if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)


def percent(value: float | None) -> str:
    """``value`` as in '82 %'; a dash for None."""
    return DASH if value is None else f"{100 * value:.0f} %"


def points(share: float) -> str:
    """A difference of shares, as in '10 points'."""
    return f"{100 * share:.0f} points"


def images(count: int) -> str:
    """As in '12 images'."""
    return "1 image" if count == 1 else f"{count} images"


def degrees(value: float) -> str:
    """``value`` as in '-45°', with a minus sign."""
    return f"{round(value)}°".replace("-", MINUS)


def turning(yaw: float | None) -> str:
    """How far heads turn, as in '±14°'; a dash for None."""
    return DASH if yaw is None else f"±{yaw:.0f}°"


def score_of(sample: ScoredSample) -> str:
    """The calibrated similarity of a sample, or its cosine where there is no scale."""
    return two_places(sample.similarity if sample.score is None else sample.score)


def words_of(sample: ScoredSample) -> str:
    """What the prompt asks for, without who."""
    return sample.prompt.words or ", ".join(sample.prompt.tags.phrases()) or "the trigger alone"
