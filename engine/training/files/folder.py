"""The folder that a run has to itself: whose it is, what is in it, and whether it can be used."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import FacetError
from ...core.letters import is_portable
from ...store.files import contained, numbered, write_atomic
from ...store.tensors import read_metadata
from ..progress.log import CSV_FILE, PNG_FILE
from ..progress.samples import FOLDER as SAMPLES
from ..run_record import TrainingRun, load_run
from .formats import RUN
from .state import RunProgress, load_progress

LOGGER = logging.getLogger(__name__)
LOCK, HOLDER = ".lock", ".holder"
_PART = ".part"
_NO_TRAINING = {CSV_FILE, PNG_FILE, SAMPLES, LOCK, HOLDER}
"""What a run leaves that came to no checkpoint: nobody can go on from it."""


@dataclass(frozen=True)
class RunFolder:
    """The folder a run works in, how far it has come there, and a sentence if that may surprise.

    before: the run as it was left, None when that is not known. ended: why it came to its end
    before its last step, '' when it did not. finished: whether nothing is left to do.
    """

    folder: Path
    progress: RunProgress
    note: str = ""
    before: TrainingRun | None = None
    ended: str = ""
    finished: bool = False


def open_run(training: Path, name: str, fingerprint: str, steps: int) -> RunFolder:
    """The folder under ``training`` for a run of this name and fingerprint.

    A run that was stopped goes on, a finished one is not trained again, and one that is asked
    for more steps continues. A name that stands for something else already (other pictures,
    captions, settings or model) keeps what it has, and the new run is called name_2, name_3 …
    Raises FacetError when the name leads out of the folder or is empty.
    """
    if not _is_name(training, name):
        raise FacetError(f"{name!r} is no name for a run's folder; give a word such as 'run'.")
    for called in numbered(name):
        folder = contained(training, called)
        progress = load_progress(folder)
        if progress is None and _has_files(folder):
            continue
        if progress is None:
            note = f"{name!r} holds another training and is kept; this run is {called!r}."
            return RunFolder(folder, RunProgress(fingerprint, ()), note if called != name else "")
        if progress.fingerprint == fingerprint and progress.step <= steps:
            return _taken_up(folder, progress, steps)
    raise AssertionError  # there is always a next name


def _taken_up(folder: Path, progress: RunProgress, steps: int) -> RunFolder:
    called = folder.name
    note = f"{called!r} resumes from step {progress.step}."
    try:
        before = load_run(folder)
    except ValueError:
        # The state alone is enough to go on; what was measured is measured again.
        return RunFolder(folder, progress, note)
    # A run that came to an early end goes on when it is asked for more than it was then.
    ended = before.ended if steps <= int(before.settings.get("steps", 0)) else ""
    finished = (
        before.finished and bool(before.checkpoints) and (bool(ended) or progress.step == steps)
    )
    if finished:
        note = f"{called!r} is finished already{f': {ended}' if ended else '.'}"
    return RunFolder(folder, progress, note, before, ended, finished)


@contextlib.contextmanager
def held_run(training: Path, name: str, fingerprint: str, steps: int) -> Iterator[RunFolder]:
    """What ``open_run`` gives, and nobody else trains it meanwhile; a finished run is only opened.

    Raises FacetError when another process trains it, and NotSaved when the disk refuses.
    """
    while True:
        opened = open_run(training, name, fingerprint, steps)
        if opened.finished:
            yield opened
            return
        make_usable(training)
        with _held(opened.folder):
            # Whoever held it until now may have taken steps.
            again = open_run(training, name, fingerprint, steps)
            if again.folder == opened.folder:
                yield again
                return


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / LOCK, timeout=0), folder / HOLDER
    try:
        lock.acquire()
    except Timeout as error:
        who = holder.read_text("utf-8") if holder.is_file() else "another process"
        raise FacetError(
            f"{folder.name!r} is being trained by another ComfyUI ({who}); wait for it, stop it "
            "there, or give this run another name."
        ) from error
    except NotImplementedError:  # a file system that has no locks
        LOGGER.warning("Facet: %s cannot be locked; train it in one ComfyUI at a time.", folder)
    try:
        since = time.strftime("%Y-%m-%d %H:%M")
        write_atomic(
            holder, f"process {os.getpid()} on {socket.gethostname()}, since {since}".encode()
        )
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def lora_file(folder: Path, name: str, fingerprint: str) -> tuple[Path, str]:
    """Where the LoRA of a run stands below ``folder``, and a sentence if that may surprise.

    The first of name, name_2, name_3 … that is free, or that the same run wrote; a file that is of
    anything else is kept.
    """
    # Not resolved: a LoRA that its person moved elsewhere is written through the link to it.
    paths = (folder / f"{called}.safetensors" for called in numbered(name))
    path = next(path for path in paths if not path.exists() or _run_of(path) == fingerprint)
    note = f"{name}.safetensors is another LoRA and is kept; this one is {path.name}."
    return path, note if path.stem != name else ""


def _run_of(path: Path) -> str:
    """The fingerprint of the training that wrote the LoRA ``path``; '' where it is not known."""
    try:
        return read_metadata(path).get(RUN, "")
    except (OSError, ValueError):
        return ""


class NotSaved(FacetError):
    """A disk that refused; what was saved before is as it was."""


def make_usable(*folders: Path) -> None:
    """Makes ``folders`` and sees that files can be written there.

    Raises NotSaved when not, before any work is done.
    """
    for folder in folders:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".facet.", suffix=_PART)
            os.close(handle)
            Path(name).unlink()
        except OSError as error:
            raise NotSaved(
                f"Nothing can be written to {folder} ({error.strerror or error}); free space or "
                "change its rights, or choose another folder in ComfyUI's settings."
            ) from error
        finally:
            # What nothing was put in is not left behind.
            for path in made:
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()


def sweep(folder: Path) -> None:
    """Deletes what a killed process left half-written in ``folder``."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name.startswith(".") and path.name.endswith(_PART):
                path.unlink(missing_ok=True)


def _is_name(training: Path, name: str) -> bool:
    # A name that is a path on any system is none: the folder may move to another one.
    if not name.strip() or not is_portable(name) or len(name.encode()) > 120:
        return False
    return contained(training, name).parent == training.resolve()


def _has_files(folder: Path) -> bool:
    if not folder.is_dir():
        return folder.exists()
    names = {path.name for path in folder.iterdir() if not path.name.endswith(_PART)}
    return bool(names - _NO_TRAINING)
