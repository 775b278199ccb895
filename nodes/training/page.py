"""The panel of the trainer node: sent while a training runs, and asked for afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from comfy_api.latest import ComfyAPISync

from ...engine.core.errors import FacetError
from ...engine.store.files import contained
from ...engine.training.progress.events import RUN_REQUESTS, Ask, TrainingEvent
from ...engine.training.progress.log import CSV_FILE, LogRow, TrainingLog, checkpoints
from ...engine.training.run_record import Measure, load_run
from ..common.page import (
    Latest,
    below_output,
    json_body,
    output_folder,
    send,
    watched_to_its_end,
    workflow_id,
)

if TYPE_CHECKING:
    from ...engine.dataset.lint import Report

MESSAGE = "facet.training"
_SECONDS_BETWEEN_MESSAGES = 0.25
_SECONDS_BETWEEN_TABLES = 20.0
_MOST_POINTS = 3000
_MOST_FINDINGS = 100


class TrainingView:
    """One training as the page shows it.

    node: the id under which ComfyUI runs the node, such as "7", or "4:7" in a subgraph; workflow:
    the id of the page's graph, '' for a prompt that came without one.
    """

    def __init__(self, node: str, workflow: str = "", name: str = "") -> None:
        self.node = node
        self.workflow = workflow
        self.name = name
        self.state = "preparing"
        self.note = ""
        self.log: TrainingLog | None = None
        self.samples: list[Path] = []
        self.steps = 0
        self.eta = math.nan
        self.lint: Report | None = None

    def take(self, event: TrainingEvent) -> None:
        """Takes up one step."""
        if self.log is None and event.folder is not None:
            self.show(event.folder, event.step)
        if self.log is not None:
            self.log.add(event)
        self.state = "running"
        self.steps, self.eta = event.steps, event.eta
        if event.sample is not None and event.sample not in self.samples:
            self.samples.append(event.sample)
        if event.note:
            self.note = event.note

    def show(self, folder: Path, before: int | None = None) -> None:
        """Takes up what stands in the run's folder, of the steps before ``before``."""
        self.log = TrainingLog(folder, before)
        self.samples = saved_samples(folder)

    def as_json(self, after: int = 0) -> dict[str, Any]:
        """What the page is sent: the steps after ``after``, and the lint before the first one."""
        rows = list(self.log.rows) if self.log else []
        folder = self.log.folder if self.log else None
        held_out = [row for row in rows if row.validation is not None]
        measured = [row for row in rows if row.identity is not None]
        saved = checkpoints(folder) if folder else []
        sent: dict[str, Any] = {
            "node": self.node,
            "workflow": self.workflow,
            "run": folder.name if folder else self.name,
            "folder": below_output(folder) if folder else None,
            "state": self.state,
            "note": self.note,
            "step": rows[-1].step if rows else 0,
            "steps": self.steps or (rows[-1].step if rows else 0),
            "eta": round(self.eta, 1) if math.isfinite(self.eta) else None,
            "after": after,
            "rows": points([row for row in rows if row.step > after]),
            "validation": [[row.step, _short(row.validation)] for row in held_out],
            "identity": [[row.step, _short(row.identity)] for row in measured],
            "checkpoints": saved,
            "best": best_of({*held_out, *measured}, saved),
            "samples": [shown for path in self.samples if (shown := picture(path))],
        }
        if not after:
            sent["lint"] = findings(self.lint)
        return sent


ANSWERS: dict[str, str] = {
    Ask.STOP.value: "Stopping after this step; the best is kept.",
    Ask.SAVE.value: "A checkpoint is saved after this step.",
    Ask.SAMPLE.value: "Samples are made after this step.",
}
"""What is answered to each request."""

TRAININGS: Latest[TrainingView] = Latest()
"""Of this process: trainings write, and the page's requests read."""


class TrainingReporter:
    """Keeps the page, ComfyUI's progress bar and the run's log files up to date."""

    def __init__(self, view: TrainingView) -> None:
        self._view = view
        self._set_progress = ComfyAPISync().execution.set_progress
        self._shown = self._saved = 0.0
        self._sent = 0

    def __call__(self, event: TrainingEvent) -> None:
        """One step; sent at most four times a second, but at once when there is more to see."""
        first = self._view.log is None
        self._view.take(event)
        now = time.monotonic()
        if first:
            self._saved = now
        news = event.sample or event.note or event.step == event.steps or first
        if not news and now - self._shown < _SECONDS_BETWEEN_MESSAGES:
            return
        self._shown = now
        self._set_progress(event.step, event.steps)
        self.tell()
        if now - self._saved > _SECONDS_BETWEEN_TABLES:
            self._saved = now
            self._save()

    def warn(self, report: Report) -> None:
        """Shows what is wrong with the dataset, before the first step."""
        self._view.lint = report
        self.tell()

    def note(self, text: str) -> None:
        """Shows a sentence, before the first step; '' shows none."""
        if text:
            self._view.note = text
            self.tell()

    def tell(self) -> None:
        """Sends what the page does not have yet."""
        sent = self._view.as_json(self._sent)
        self._sent = sent["step"]
        send(MESSAGE, sent, self._view.workflow)

    def end(self, state: str, note: str = "", folder: Path | None = None) -> None:
        """Writes the log as a table and as an image, and sends how it ended.

        ``folder`` is the run's, for one that took no step because it was finished before.
        """
        if self._view.log is None and folder is not None:
            self._view.show(folder)
        self._view.state, self._view.eta = state, 0.0
        if note:
            self._view.note = note
        self._save(picture=True)
        self.tell()

    def _save(self, picture: bool = False) -> None:
        log = self._view.log
        if log is None:
            return
        try:
            if picture:
                log.save()
            else:
                log.save_table()
        except OSError as error:
            # The LoRA matters more than its curve, and says itself when the disk refuses it.
            self._view.note = f"{CSV_FILE} could not be written: {error}"


def reported(
    node: str, extra_pnginfo: Any, name: str
) -> contextlib.AbstractContextManager[TrainingReporter]:
    """Shows a training of ``node`` in the page for the length of the ``with``.

    ``extra_pnginfo``: ComfyUI's hidden input, which holds the workflow; None from a script.
    """
    view = TrainingView(str(node), workflow_id(extra_pnginfo), name)
    TRAININGS.begin(view)
    return watched_to_its_end(TrainingReporter(view), view)


def add_routes(routes: web.RouteTableDef) -> None:
    """Adds the page's requests to ComfyUI's."""

    @routes.get("/facet/training")
    async def trainings(request: web.Request) -> web.Response:
        """The trainings of the workflow with the id ``workflow``."""
        found = TRAININGS.of(request.query.get("workflow", ""))
        return web.json_response({"courses": [view.as_json() for view in found]})

    @routes.get("/facet/training/run")
    async def saved(request: web.Request) -> web.Response:
        """The run in ``folder``, which lies below output/facet."""
        try:
            return web.json_response(saved_training(request.query.get("folder", "")).as_json())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=404)

    @routes.get("/facet/training/curve")
    async def curve(request: web.Request) -> web.Response:
        """The curves of the run in ``folder`` up to now, as a PNG."""
        try:
            log = saved_training(request.query.get("folder", "")).log
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=404)
        picture = await asyncio.to_thread(log.picture) if log else b""
        return web.Response(body=picture, content_type="image/png")

    @routes.post("/facet/training/ask")
    async def ask(request: web.Request) -> web.Response:
        """Asks the training of ``node`` in ``workflow`` for ``what`` after its present step."""
        asked = await json_body(request)
        node, workflow = str(asked.get("node", "")), str(asked.get("workflow", ""))
        what = asked.get("what")
        if not node or what not in ANSWERS:
            error = (
                "The request names no node, or nothing to do; send {'node': id, 'workflow': id, "
                f"'what': one of {', '.join(ANSWERS)}}} as JSON."
            )
            return web.json_response({"error": error}, status=400)
        if not TRAININGS.running(workflow, node):
            error = "Nothing is being trained in this node."
            return web.json_response({"error": error}, status=409)
        RUN_REQUESTS.request(node, Ask(what))
        return web.json_response({"note": ANSWERS[what]})


def saved_training(folder: str) -> TrainingView:
    """The view of a run on the disk; ``folder`` is below ComfyUI's output folder.

    Raises FacetError when it is none of Facet's runs.
    """
    output = output_folder()
    path = contained(output, folder)
    if contained(output, "facet") not in path.parents or not path.is_dir():
        raise FacetError(f"There is no training run in {folder!r}.")
    for known in TRAININGS.all():
        if known.log and known.log.folder == path:
            return known
    run = load_run(path)
    view = TrainingView("", "", path.name)
    view.state = "saved"
    view.steps = int(run.settings.get("steps") or len(run.losses))
    view.show(path)
    return view


def saved_samples(folder: Path) -> list[Path]:
    """The samples of a run, in order."""
    return sorted((folder / "samples").glob("*.png"))


def best_of(rows: Iterable[LogRow], saved: Sequence[int]) -> int | None:
    """The checkpoint that the run would choose by now; None where nothing was measured at one."""
    from ...engine.training.progress.best import choose

    measures = sorted(
        (Measure(row.step, row.validation, row.identity) for row in rows if row.step in saved),
        key=lambda measure: measure.step,
    )
    return choose(measures, saved).step if measures else None


def points(rows: Sequence[LogRow]) -> list[list[float | None]]:
    """[step, loss, smoothed, learning rate] of at most 3000 rows, evenly taken, with the last."""
    stride = math.ceil(len(rows) / _MOST_POINTS) or 1
    chosen = [row for number, row in enumerate(reversed(rows)) if number % stride == 0]
    return [
        [row.step, _short(row.loss), _short(row.smoothed), _short(row.learning_rate)]
        for row in reversed(chosen)
    ]


def findings(report: Report | None) -> dict[str, Any] | None:
    """What the page shows of a lint: its number, how much it found, and the gravest hundred."""
    if report is None:
        return None
    shown = [
        {"says": one.says, "effect": " ".join(filter(None, (one.effect, one.remedy)))}
        for one in report.findings[:_MOST_FINDINGS]
    ]
    return {"number": report.number, "count": len(report.findings), "findings": shown}


def picture(path: Path) -> dict[str, Any] | None:
    """How core's /view is asked for a picture, and its step; None outside of the output folder."""
    below = below_output(path)
    if below is None:
        return None
    subfolder, _, filename = below.rpartition("/")
    digits = "".join(letter if letter.isdigit() else " " for letter in path.stem).split()
    step = int(digits[0]) if digits else None
    return {"filename": filename, "subfolder": subfolder, "step": step}


def _short(value: float | None) -> float | None:
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None
