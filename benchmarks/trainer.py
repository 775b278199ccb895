"""Time and memory of a training step: Facet, ComfyUI's TrainLoraNode, and the bare limit.

    python facet.py bench trainer [--quick] [--json]

All in the same ComfyUI on the same Flux (2 double and 4 single blocks, random weights), pictures
and rank, in fp32 with gradient checkpointing, each measurement in a process of its own on one
thread. Core runs with its default settings (a copy of each weight a step), and in bypass mode. The
bare limit is the same step written out in plain PyTorch (`_flux.py`). Time is processor time;
memory is what the process holds beyond the loaded model at most, while steps are taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from ._bars import Bar, bar
from ._process import in_own_process, two_at_a_time
from ._trainer_case import Case, agreement

WHO = ("facet", "bare", "core", "bypass")
TARGETS = {"limit": 1.10, "core, batch 1": 0.65, "core, batch 4": 0.20, "memory": 0.30}
Figures = dict[str, float]
Measured = dict[Case, Figures]


def main(quick: bool) -> dict[str, Any]:
    """The table, how time and memory grow, and the bars; ``quick`` takes the smallest sizes."""
    difference = agreement()
    if difference > 1e-4:
        raise RuntimeError(f"The bare limit is another model than ComfyUI's: {difference:.1e} off.")
    cases = side_by_side(quick)
    grown = [] if quick else growing()
    measured = measure([*cases, *(case for _, _, case in grown)])
    print(table(measured, cases))
    if grown:
        print(growth_table(measured, grown))
    return {
        "bars": bars(measured, cases, whole=not quick),
        "bare limit beside ComfyUI's model": difference,
        "measured": [{**asdict(case), **measured[case]} for case in cases],
        "growth": [{"what": what, "value": value, **measured[case]} for what, value, case in grown],
    }


def side_by_side(quick: bool) -> list[Case]:
    """Every trainer at every size; steps of the largest are few."""
    if quick:
        sizes = [(512, 128, 1), (512, 128, 4)]
        return [
            Case(who, hidden, side, batch, steps=3, seconds=2)
            for hidden, side, batch in sizes
            for who in WHO
        ]
    return [
        Case(who, hidden, side, batch, steps=8 if batch == 1 else 2, seconds=12)
        for hidden in (512, 1024)
        for side in (256, 512)
        for batch in (1, 4)
        for who in WHO
    ]


def growing() -> list[tuple[str, int, Case]]:
    """What is changed, to what, and the measurement of Facet with it."""
    base = Case("facet", 512, 256, 1, steps=6, seconds=8)
    return [
        *(("images in a batch", n, replace(base, batch=n)) for n in (1, 2, 4, 8)),
        *(("side in pixels", n, replace(base, side=n)) for n in (128, 256, 384, 512)),
        *(("rank", n, replace(base, rank=n)) for n in (4, 16, 64, 128)),
        *(("pictures in all", n, replace(base, pictures=n)) for n in (4, 32)),
    ]


def measure(cases: Iterable[Case]) -> Measured:
    """Runs every case, each in its own process."""
    wanted = list(dict.fromkeys(cases))
    return dict(zip(wanted, two_at_a_time(run, wanted), strict=True))


def run(case: Case) -> Figures:
    """Measures one case."""
    figures: Figures = in_own_process("_trainer_case", case)
    print(
        f"{label(case)}, {case.who}: {figures['ms']:.0f} ms, {figures['mib']:.0f} MiB", flush=True
    )
    return figures


def label(case: Case) -> str:
    """The size of a case in words."""
    return f"hidden {case.hidden}, {case.side} px, batch {case.batch}"


def rows(measured: Measured, cases: list[Case]) -> dict[str, dict[str, Figures]]:
    """Figures by size and by who trains."""
    found: dict[str, dict[str, Figures]] = {}
    for case in cases:
        found.setdefault(label(case), {})[case.who] = measured[case]
    return found


def bars(measured: Measured, cases: list[Case], whole: bool = True) -> dict[str, Bar]:
    """Each size against its targets. Core takes as many pictures a step, so time a step is time
    per image.

    whole: whether the times are of steps enough; memory is that of any step.
    """
    made = {}

    for size, figures in rows(measured, cases).items():
        own, core = figures["facet"], figures["core"]
        batch = size.rpartition(", ")[2]
        for name, value, target, judged in (
            ("time / limit", own["ms"] / figures["bare"]["ms"], TARGETS["limit"], whole),
            ("time / core", own["ms"] / core["ms"], TARGETS[f"core, {batch}"], whole),
            ("memory / core", own["mib"] / max(core["mib"], 1), TARGETS["memory"], True),
        ):
            made[f"{name}: {size}"] = bar(round(value, 3), target, "lower", judged=judged)
    return made


def table(measured: Measured, cases: list[Case]) -> str:
    """Milliseconds a step and MiB, a size a line."""
    lines = [f"{'ms a step | MiB above the model':32}" + "".join(f"{who:>16}" for who in WHO)]
    for size, figures in rows(measured, cases).items():
        cells = (f"{figures[who]['ms']:8.0f} |{figures[who]['mib']:6.0f}" for who in WHO)
        lines.append(f"{size:32}" + "".join(f"{cell:>16}" for cell in cells))
    return "\n".join(lines)


def growth_table(measured: Measured, grown: list[tuple[str, int, Case]]) -> str:
    """How Facet's time and memory follow what is changed."""
    lines = ["Facet at hidden 512, 256 px, batch 1, rank 16, but for:"]
    for what, value, case in grown:
        figures = measured[case]
        lines.append(f"  {what:20}{value:5}{figures['ms']:9.0f} ms{figures['mib']:7.0f} MiB")
    return "\n".join(lines)
