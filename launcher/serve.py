"""`facet.py serve`: ComfyUI with the pack, to open in a browser."""

from __future__ import annotations

from .places import Home
from .problem import Problem
from .server import Server, make_base, port_is_busy
from .setup import set_up

USUAL_PORT = 8188


def run(home: Home, port: int | None) -> None:
    """Serve until Ctrl-C; without a port ComfyUI's usual one, or a free one when it is busy.

    An existing ComfyUI keeps its models; everything else is in `.facet/`.
    """
    environment = set_up(home)
    if port is None and not port_is_busy(USUAL_PORT):
        port = USUAL_PORT
    print("Starting ComfyUI …", flush=True)
    base, log = make_base(home, environment), home.logs / "serve.log"
    models = environment.comfyui.folder / "models"
    theirs = environment.comfyui.folder != home.comfyui and models.is_dir()
    options = ("--models-directory", str(models)) if theirs else ()
    with Server(environment, base, log, port=port, options=options) as s:
        print(f"Open {s.address} in a browser; Ctrl-C ends it. Log: {s.log}", flush=True)
        assert s.process is not None
        if s.process.wait():
            raise Problem(f"ComfyUI ended: {s.last_words()} All of it: {s.log}")
