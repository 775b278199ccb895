"""A ComfyUI whose loaders find narrow files of all the models that the workflows ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from facet.engine.core.character import quantise
from facet.engine.demo.people import demo_picture
from facet.launcher import workflow
from facet.launcher.places import ROOT, Home
from facet.launcher.server import Server, make_base
from facet.launcher.setup import Environment

from .comfy_server import ComfyServer, options
from .graphs import models_of
from .narrow_files import FILES, write_file

WORKFLOWS, BLUEPRINTS = ROOT / "workflows", ROOT / "subgraphs"
SOMEBODYS_LORA = "somebodys.safetensors"
FLUX_LAYER = "lora_unet_double_blocks_0_img_attn_qkv"
NARROW_NODE = """import sys
sys.path.append({tests!r})
from harness.narrow import narrow
narrow()
NODE_CLASS_MAPPINGS = {{}}
"""


@contextmanager
def running_server(environment: Environment, folder: Path) -> Iterator[ComfyServer]:
    """The server, with its models and pictures below ``folder``."""
    home = Home(folder)
    base = make_base(home, environment, ROOT)
    (base / "custom_nodes" / "narrow.py").write_text(
        NARROW_NODE.format(tests=str(ROOT / "tests")), "utf-8"
    )
    for path in sorted([*WORKFLOWS.glob("*.json"), *BLUEPRINTS.glob("*.json")]):
        for model in models_of(workflow.load(path)):
            file = base / "models" / model["directory"] / model["name"]
            if model["name"] in FILES and not file.exists():
                write_file(model["name"], file)
    write_picture(0, base / "input" / "example.png")
    write_picture(1, base / "input" / "second.png")
    for number in range(3):
        write_picture(number, base / "input" / "my_character" / f"{number}.png")
    write_flux_lora(base / "models" / "loras" / SOMEBODYS_LORA)
    with Server(environment, base, home.logs / "server.log", options=options()) as running:
        yield ComfyServer(running)


def write_flux_lora(path: Path) -> None:
    """A LoRA of the narrow Flux by somebody else, in kohya's layout and without metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seeded = torch.Generator().manual_seed(0)
    weights = {
        f"{FLUX_LAYER}.lora_up.weight": torch.randn(768, 2, generator=seeded),
        f"{FLUX_LAYER}.lora_down.weight": torch.randn(2, 256, generator=seeded),
    }
    save_file(weights, path)


def write_picture(number: int, path: Path) -> None:
    """The picture of demo person ``number``, at ``path``."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(quantise(demo_picture(number)).numpy()).save(path)
