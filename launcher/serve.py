"""`facet.py serve`: ComfyUI with the pack, to open in a browser."""

from __future__ import annotations

from .places import Home
from .problem import Problem
from .server import Server, make_base, port_is_busy
from .setup import set_up

USUAL_PORT = 8188


def run(home: Home, port: int | None) -> None:
    """Serve until Ctrl-C; without a port ComfyUI's usual one, or a free one when it is busy."""
    environment = set_up(home)
    if port is None and not port_is_busy(USUAL_PORT):
        port = USUAL_PORT
    print("Starting ComfyUI …", flush=True)
    with Server(environment, make_base(home, environment), home.logs / "serve.log", port=port) as s:
        print(f"Open {s.address} in a browser; Ctrl-C ends it. Log: {s.log}", flush=True)
        assert s.process is not None
        if s.process.wait():
            raise Problem(f"ComfyUI ended: {s.last_words()} All of it: {s.log}")
