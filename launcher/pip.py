"""Packages: one pip call at a time, with what it downloads on the screen and the rest in a log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .problem import Problem

OFFLINE = (
    "connection refused",
    "name or service not known",
    "temporary failure in name resolution",
    "nodename nor servname",
    "getaddrinfo failed",
    "network is unreachable",
    "failed to establish a new connection",
    "max retries exceeded",
    "connection broken",
    "read timed out",
    "connect timeout",
    "no route to host",
)


@dataclass(frozen=True)
class Pip:
    """pip of one Python, logging to `log`, with its scratch space in `scratch`."""

    python: Path
    log: Path
    scratch: Path

    def run(self, *arguments: str, what: str) -> None:
        """Run pip; `what` names the packages in the sentence raised as Problem when it fails."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir(parents=True, exist_ok=True)
        place = str(self.scratch)
        environment = dict(os.environ, TMPDIR=place, TEMP=place, TMP=place)
        environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        environment["PYTHONIOENCODING"] = "utf-8"
        command = [str(self.python), "-m", "pip", *arguments, "--no-input", "--progress-bar", "off"]
        lines: list[str] = []
        with self.log.open("a", encoding="utf-8") as log:
            print("$", *command, file=log, flush=True)
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    log.write(line)
                    lines.append(line)
                    download = large_download(line)
                    if download:
                        print(f"    {download}", flush=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        if process.returncode:
            raise explain("".join(lines), what, self.log)

    def download(
        self, requirement: str, sha256: str, folder: Path, *options: str, what: str
    ) -> None:
        """Put the one file of ``requirement`` that has that hash into ``folder``, as it is.

        options: pip's own, that say which of its files. what: as in `run`, with its Problem.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.scratch.mkdir(parents=True, exist_ok=True)
        # pip builds a source archive's metadata, so it must know the hash before it opens it.
        wanted = self.scratch / "wanted.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
        self.run(
            "download",
            "--no-deps",
            "--require-hashes",
            *options,
            "-r",
            str(wanted),
            "-d",
            str(folder),
            what=what,
        )


def large_download(line: str) -> str | None:
    """The file and its size, from pip's line about a download of 5 MB or more."""
    found = re.match(r"\s*Downloading (\S+) \(([\d.]+) ([MG])B\)", line)
    if not found or (found[3] == "M" and float(found[2]) < 5):
        return None
    return f"{found[1].rsplit('/', 1)[-1]}  {found[2]} {found[3]}B"


def explain(output: str, what: str, log: Path) -> Problem:
    """Why pip failed, from what it printed."""
    text = output.lower()
    if "no space left on device" in text or "not enough space on the disk" in text:
        return Problem(
            f"The disk is full: {what} did not fit. Free some space and run the same command "
            "again; what is done already is kept."
        )
    if any(sign in text for sign in OFFLINE):
        return Problem(
            f"The package index cannot be reached, and {what} is not on this machine yet. "
            "Connect to the internet and run the same command again."
        )
    if "do not match the hashes" in text:
        return Problem(
            f"The package index gave another file for {what} than the one expected; nothing of it "
            "was used. Run the same command again, or check which index pip is set to."
        )
    if "no matching distribution" in text:
        return Problem(
            f"The package index has no {what} for this Python and system; "
            f"Python 3.12 is known to work. pip's words: {log}"
        )
    errors = [line.strip() for line in output.splitlines() if line.strip().startswith("ERROR:")]
    return Problem(f"pip could not install {what}: {errors[-1] if errors else 'see'} ({log})")
