"""The command line of facet.py."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from . import bench, demo, doctor, serve, testing, words, world
from .places import Home
from .problem import Problem, from_os_error


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="facet.py",
        description="Facet: one image of a character in, a character LoRA out. "
        "Sets up what it needs in .facet/ beside this file, and nowhere else.",
        epilog="COMFYUI_PATH names an existing ComfyUI to use instead of one in .facet/.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("demo", help="from one image of a stranger to a LoRA and a report")
    run.add_argument("--person", type=int, default=0, metavar="N", help="who: 0 to 47")
    run.add_argument("--out", type=Path, metavar="DIR", help="where to; default .facet/demo/N")
    run.add_argument("--picture", type=Path, metavar="FILE", help="an image of your own instead")
    run.add_argument("--json", action="store_true", help="print run.json alone on stdout")
    page = commands.add_parser("serve", help="ComfyUI with Facet, to open in a browser")
    page.add_argument("--port", type=int, default=None, help="default: 8188, or a free one")
    commands.add_parser("doctor", help="what is there, what is missing, what to do")
    commands.add_parser("test", help="every test; further arguments go to pytest")
    commands.add_parser("words", help="write the texts that follow from the nodes' code")
    measure = commands.add_parser("bench", help="one benchmark")
    measure.add_argument("name", metavar="NAME", help=", ".join(bench.names()) or "none yet")
    measure.add_argument("--quick", action="store_true", help="within a minute")
    measure.add_argument("--json", action="store_true", help="print one object as the last line")
    make = commands.add_parser("world", help="one step of making the demo models: world/README.md")
    make.add_argument("name", metavar="NAME", help=", ".join(world.names()) or "none here")
    return top


def dispatch(arguments: list[str], home: Home) -> int:
    """Run one command; its exit code."""
    known, rest = parser().parse_known_args(arguments)
    if rest and known.command not in ("test", "world"):
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if known.command == "demo":
        demo.run(home, known.person, known.out, known.json, known.picture)
    elif known.command == "serve":
        serve.run(home, known.port)
    elif known.command == "doctor":
        return doctor.run(home)
    elif known.command == "test":
        return testing.run(home, rest)
    elif known.command == "words":
        return words.run(home)
    elif known.command == "bench":
        return bench.run(home, known.name, known.quick, known.json)
    elif known.command == "world":
        return world.run(home, known.name, rest)
    return 0


def on_terminate(number: int, frame: FrameType | None) -> None:
    """Leave as a signal says, through every `finally`."""
    sys.exit(128 + number)


def main(arguments: list[str] | None = None, home: Home | None = None) -> int:
    """Run the command line; what goes wrong is one sentence on stderr and exit code 1."""
    # Leaving by SystemExit runs the code that stops ComfyUI.
    signal.signal(signal.SIGTERM, on_terminate)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        return dispatch(sys.argv[1:] if arguments is None else arguments, home or Home())
    except Problem as problem:
        print(f"Facet: {problem}", file=sys.stderr)
    except OSError as error:
        print(f"Facet: {from_os_error(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nFacet: stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 1
