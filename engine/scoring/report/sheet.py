"""The pictures: every prompt with the same seed side by side, LoRA off first, and the probes."""

from __future__ import annotations

from html import escape

from ..condition import UNDRESSED, Condition
from ..protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER, TestPrompt
from .material import Made, Material, short_name
from .numbers import turning
from .parts import LARGE, TIMES, likeness, percent, section, tile, two_places, words_of

MOST_PROMPTS, MOST_PROBES = 24, 16
FEW_COLUMNS = 4
SMALL, MANY = 224, 60


def sheet(of: Material) -> str:
    """Rows are prompts, columns are LoRA off and what was tried, all on the same seeds."""
    columns = [(one, of.made(one)) for one in of.columns]
    prompts = [prompt for prompt in of.off if prompt.kind == SCENE]
    left_out = len(prompts) - MOST_PROMPTS
    prompts = prompts[:MOST_PROMPTS]
    if not prompts:
        return ""
    scale = f"{of.noun.lower()} with the original"
    if not of.judged:
        scale = "plain cosine with the original, which cannot be read as likeness here"
    text = (
        "The same scene and the same seed in each row, LoRA off first; clothes and places are "
        f"those that the dataset does not name, unless the prompts are your own. The number is the "
        f"{scale}."
    )
    if left_out > 0:
        text += f" The first {MOST_PROMPTS} of {len(prompts) + left_out} prompts."
    shown = _pairs(of, prompts) if len(columns) == 2 else _tables(of, columns, prompts)
    return section("Fixed seeds", text, shown)


def _pairs(of: Material, prompts: list[TestPrompt]) -> str:
    side = LARGE if len(prompts) <= MANY // 4 else SMALL
    return _grid(
        [_pair(of.off[prompt], of.best[prompt], side) for prompt in prompts if prompt in of.best]
    )


def _tables(
    of: Material, columns: list[tuple[Condition, dict[TestPrompt, Made]]], prompts: list[TestPrompt]
) -> str:
    """The sheet; where it has few columns, in two halves side by side."""
    half = -(-len(prompts) // 2) if len(columns) <= FEW_COLUMNS else len(prompts)
    numbered = list(enumerate(prompts, start=1))
    parts = [numbered[start : start + half] for start in range(0, len(prompts), half)]
    tables = "".join(_table(of, columns, part) for part in parts)
    return f'<div class="sheets" style="--count:{len(columns)}">{tables}</div>'


def _table(
    of: Material,
    columns: list[tuple[Condition, dict[TestPrompt, Made]]],
    prompts: list[tuple[int, TestPrompt]],
) -> str:
    side = SMALL if sum(len(made) for _, made in columns) > MANY else LARGE
    head = "".join(
        f'<th scope="col"{" class=chosen" if one is of.card.best else ""}>{_title(one)}</th>'
        for one, _ in columns
    )
    rows = []
    for number, prompt in prompts:
        words = words_of(of.off[prompt].sample)
        cells = "".join(_cell(of, one, made.get(prompt), side, number) for one, made in columns)
        rows.append(
            f'<tr class="words"><th scope="rowgroup" colspan="{len(columns)}">'
            f"<span>{number} · {escape(words)} · seed {prompt.seed}</span></th></tr>"
            f"<tr>{cells}</tr>"
        )
    return (
        f'<div class="scroll" tabindex="0"><table class="sheet"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _title(one: Condition) -> str:
    name, _, strength = short_name(one).partition(f" {TIMES} ")
    return f"{escape(name)}<br>{TIMES} {strength}" if strength else escape(name)


def _cell(of: Material, one: Condition, made: Made | None, side: int, number: int) -> str:
    chosen = " class=chosen" if one is of.card.best else ""
    if made is None:
        return f'<td{chosen}><div class="blank" title="Not made: a first look only"></div></td>'
    kind = "off" if one is of.card.off else "words" if one is of.card.words else "on"
    says = f"{short_name(one)}, prompt {number}"
    return f"<td{chosen}>{tile(made.image, says, likeness(made.sample), kind, side)}</td>"


def trigger_alone(of: Material) -> str:
    """What the LoRA draws when nothing but its trigger is said."""
    pairs = list(of.pairs(TRIGGER))
    on, off = of.card.best.diversity, of.card.off.diversity
    text = f"Only “{of.card.trigger} {of.card.class_word}”, on {len(pairs)} seeds."
    if on.yaw is not None:
        text += (
            f" Heads turn by {turning(on)} and faces differ by {two_places(on.expression)}; "
            f"without the LoRA {turning(off)} and {two_places(off.expression)}."
        )
    few = pairs[:MOST_PROBES]
    rows = [("LoRA off", "off", [off for off, _ in few])]
    rows.append((short_name(of.card.best), "on", [on for _, on in few]))
    content = _strips(rows) if pairs else ""
    return section("By its trigger alone", text + _shortened(pairs), content)


def attributes(of: Material) -> str:
    """Whether the character stays itself with something on that the dataset does not know."""
    pairs = list(of.pairs(ATTRIBUTE))
    value = of.card.best.attributes
    text = "Close-ups with something on that no caption names: it should appear, on the same face."
    if value.value is not None:
        text += f" {of.noun} with the original {value.text}."
    figures = [_pair(off, on) for off, on in pairs[:MOST_PROBES]]
    return section("With something new on", text + _shortened(pairs), _grid(figures))


def leaks(of: Material) -> str:
    """Whether a garment of the dataset shows where no clothes were named."""
    pairs = list(of.pairs(LEAK))
    garment, found = of.card.garment, of.card.best.leaks
    text = "No clothes are named in these prompts, nor in those above."
    swatch = ""
    if garment is None:
        text += " No one garment fills the dataset, so there is none to look for."
    else:
        lightness, a, b = garment.colour
        name = garment.name or "the garment"
        text += (
            f" {percent(garment.share)} of the dataset's pictures with a face wear {name}, and it "
            f"shows in {percent(found.value)} of all {found.count} in which clothes are seen; in "
            f"{percent(of.card.off.leaks.value)} without the LoRA."
        )
        swatch = (
            f'<p class="swatch"><i style="background:lab({lightness:.1f}% {a:.1f} {b:.1f})"></i>'
            f"{escape(name)}, by its colour</p>"
        )
    figures = [_pair(off, on) for off, on in pairs[:MOST_PROBES]]
    text += _shortened(pairs)
    return section("Clothes that nobody asked for", text, swatch + _grid(figures) if pairs else "")


def _pair(off: Made, on: Made, side: int = LARGE) -> str:
    words = words_of(on.sample)
    worn = on.sample.wears_own and on.sample.prompt.kind in UNDRESSED
    flags = ["It wears the dataset's garment."] if worn else []
    if on.sample.nearest.copied:
        flags.append("Repeats a training picture.")
    flagged = f' <span class="flag">{escape(" ".join(flags))}</span>' if flags else ""
    return (
        '<figure class="pair"><div class="two">'
        f"{tile(off.image, f'LoRA off: {words}', f'off {likeness(off.sample)}', 'off', side)}"
        f"{tile(on.image, f'LoRA on: {words}', f'on {likeness(on.sample)}', 'on', side)}</div>"
        f"<figcaption>{escape(words)}.{flagged}</figcaption></figure>"
    )


def _shortened(pairs: list[tuple[Made, Made]]) -> str:
    """Says that not all of ``pairs`` are shown, where it is so."""
    return f" The first {MOST_PROBES} of {len(pairs)}." if len(pairs) > MOST_PROBES else ""


def _grid(figures: list[str]) -> str:
    return f'<div class="pairs">{"".join(figures)}</div>' if figures else ""


def _strips(rows: list[tuple[str, str, list[Made]]]) -> str:
    parts = []
    for name, kind, made in rows:
        tiles = "".join(
            tile(
                one.image,
                f"{name}, seed {one.sample.prompt.seed}",
                likeness(one.sample),
                kind,
                SMALL,
            )
            for one in made
        )
        parts.append(
            f'<figure class="strip"><figcaption>{escape(name)}</figcaption>'
            f'<div class="tiles">{tiles}</div></figure>'
        )
    return f'<div class="scroll" tabindex="0"><div class="strips">{"".join(parts)}</div></div>'
