"""The small print: the rules behind the verdict with what they found here, and the settings."""

from __future__ import annotations

from html import escape

from ..calibrate import FEW
from ..protocol import LEAK, SCENE
from ..verdict import (
    AS_GOOD,
    COPY_RATE,
    LEAK_RATE,
    LESS_DIVERSE,
    RIGHT_VIEWS,
    SAME,
    SPOILED_RATE,
    STIFFER,
    WEAK_VIEW,
    WIDE,
    repeated,
)
from .material import Material
from .numbers import turning
from .parts import DASH, MINUS, percent, section, two_places

Rule = tuple[str, str, str, bool | None]


def rules(of: Material) -> str:
    """Each rule of the verdict, what it found, and whether it holds."""
    signs = {
        True: '<td class="holds"><b>✓</b> holds</td>',
        False: '<td class="fails"><b>✗</b> does not</td>',
        None: "<td>not measured</td>",
    }
    rows = "".join(
        f'<tr><th scope="row">{escape(what)}</th><td>{escape(bar)}</td><td>{escape(found)}</td>'
        f"{signs[holds]}</tr>"
        for what, bar, found, holds in _rules(of)
    )
    choice = (
        f"Of the LoRAs of which at most {percent(COPY_RATE)} of pictures repeat a training picture "
        f"(of all, when none is so), the one with the highest {of.noun.lower()} is taken; more "
        f"than 1 counts as 1. One within {AS_GOOD:g} of it is as good, and then the one whose "
        "strength is nearer to 1, and of those the earlier step."
    )
    head = '<th scope="col">Rule</th><th scope="col">Bar</th><th scope="col">Here</th><td></td>'
    return section(
        "How the verdict was made",
        choice,
        f'<div class="scroll" tabindex="0"><table class="rules"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>",
    )


def _rules(of: Material) -> list[Rule]:
    best, off = of.card.best, of.card.off
    value, copies, views, kept = (
        best.identity.value,
        best.copies.value,
        best.views.value,
        best.unspoiled.value,
    )
    obeyed = {
        "framing": (best.framings.value, off.framings.value),
        "expression": (best.expressions.value, off.expressions.value),
        "colour": (best.colours.value, off.colours.value),
    }
    leaks, leaks_off = best.leaks.value, off.leaks.value or 0.0
    by_view = {
        name: one.value
        for name, one in best.by_view.items()
        if one.value is not None and one.count > 1
    }
    weakest = min(by_view, key=lambda name: by_view[name]) if by_view else ""
    low, high = best.identity.low, best.identity.high
    pairs = (
        (best.diversity.yaw, off.diversity.yaw),
        (best.diversity.expression, off.diversity.expression),
    )
    differs = [on >= LESS_DIVERSE * without for on, without in pairs if on is not None and without]
    count = len(best.scenes)

    def holds(figure: float | None, holding: bool) -> bool | None:
        return None if figure is None else holding

    return [
        (
            "It is the same character", f"at least {SAME:g}", two_places(value),
            holds(value, (value or 0) >= SAME),
        ),
        (
            "No picture nearer to strangers", "0", str(best.strangers),
            holds(value, best.strangers == 0),
        ),
        (
            "It does not copy", f"at most {percent(COPY_RATE)}, or one picture", percent(copies),
            holds(copies, not repeated(best.copies)),
        ),
        (
            "It does not copy a figure", f"at most {percent(COPY_RATE)}, or one picture",
            percent(best.figures.value),
            holds(best.figures.value, not repeated(best.figures)),
        ),
        (
            "It does not leak clothes", f"LoRA off + {percent(LEAK_RATE)} at most",
            f"{percent(leaks)}, LoRA off {percent(leaks_off)}" if leaks is not None else DASH,
            holds(leaks, of.card.garment is None or (leaks or 0) - leaks_off <= LEAK_RATE),
        ),
        (
            "Its pictures are unspoiled", f"at least {percent(1 - SPOILED_RATE)}", percent(kept),
            holds(kept, (kept or 0) >= 1 - SPOILED_RATE),
        ),
        (
            "It obeys the view", f"at least {percent(RIGHT_VIEWS)}", percent(views),
            holds(views, (views or 0) >= RIGHT_VIEWS),
        ),
        *(
            (
                f"It obeys the {what}",
                f"at least {percent(RIGHT_VIEWS)}, or LoRA off {MINUS} {percent(STIFFER)}",
                f"{percent(on)}, LoRA off {percent(without)}" if on is not None else DASH,
                holds(on, (on or 0) >= min(RIGHT_VIEWS, (without or 0) - STIFFER)),
            )
            for what, (on, without) in obeyed.items()
        ),
        (
            "No view is far below the rest", f"none more than {WEAK_VIEW:g} below",
            f"{weakest.replace('_', ' ')} {two_places(by_view.get(weakest))}" if weakest else DASH,
            holds(value, by_view[weakest] > (value or 0) - WEAK_VIEW) if weakest else None,
        ),
        (
            "It does not always look the same way", f"{percent(LESS_DIVERSE)} of LoRA off or more",
            f"heads {turning(best.diversity)}, faces {two_places(best.diversity.expression)}; LoRA "
            f"off {turning(off.diversity)}, {two_places(off.diversity.expression)}",
            any(differs) if differs else None,
        ),
        (
            "The figure is certain", f"interval of {WIDE:g} or less",
            DASH if low is None or high is None else two_places(high - low),
            None if low is None or high is None else high - low <= WIDE,
        ),
        ("It was measured often enough", f"{FEW} scenes or more", str(count), count >= FEW),
    ]  # fmt: skip


def settings(of: Material) -> str:
    """With what the pictures were made and measured."""
    card = of.card
    values = {"measured as": of.measured_by}
    values |= {
        name.replace("_", " "): value
        for name, value in card.settings.items()
        if name != "measured_by"
    }
    values["chosen"] = card.best.label
    values["file"] = card.best.path
    values["dataset"] = card.character_hash[:16]
    calibration = card.calibration
    values["encoder tells apart"] = f"{percent(calibration.separation)} of pairs"
    if calibration.reproduction is not None:
        values["VAE gives back"] = f"{calibration.reproduction:.1f} dB"
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in values.items()
        if value not in (None, "")
    )
    return section("Settings", "", f'<dl class="settings">{items}</dl>{_prompts(of)}')


def _prompts(of: Material) -> str:
    """The prompts as the scorer's own take them, to be copied, changed and asked again."""
    lines = [
        ("leak: " if one.prompt.kind == LEAK else "") + one.prompt.text("")
        for one in of.card.best.samples
        if one.prompt.kind in (SCENE, LEAK)
    ]
    return (
        "<details><summary>The prompts, to copy into <b>prompts</b> and change</summary>"
        f"<pre>{escape(chr(10).join(lines))}</pre></details>"
    )
