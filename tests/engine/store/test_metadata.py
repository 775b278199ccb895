"""What a picture says of itself, and that it says nothing where ComfyUI runs so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from comfy.cli_args import args
from PIL import Image

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.export import Options, export
from facet.engine.dataset.formats import PictureFormat
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.store.images import ImageStore

SECRET = "a prompt of mine"


def shot() -> Shot:
    return Shot(torch.rand(16, 16, 3), Provenance("original", prompt=SECRET), caption="zqx person")


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("kind", PictureFormat)
def test_an_exported_picture_says_nothing_where_metadata_are_switched_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: PictureFormat, said: bool
) -> None:
    monkeypatch.setattr(args, "disable_metadata", not said)
    who = Character("Ada", "zqx", "person", shot())
    done = export(
        who, tmp_path / "dataset", Layout.FLAT, options=Options(kind, workflow={"prompt": SECRET})
    )
    [picture] = (path for path in done.folder.iterdir() if path.suffix == kind.suffix)
    assert (SECRET.encode() in picture.read_bytes()) is said
    again = load(done.folder).character
    assert again.source.provenance.prompt == SECRET and again.trigger == "zqx"


@pytest.mark.parametrize("said", [True, False])
def test_a_stored_picture_is_found_again_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: bool
) -> None:
    monkeypatch.setattr(args, "disable_metadata", not said)
    store = ImageStore(tmp_path)
    store.save("0" * 16, shot().image, {"prompt": SECRET}, embed={"prompt": SECRET})
    data = store.path("0" * 16).read_bytes()
    assert (SECRET.encode() in data) is said
    assert bool(Image.open(io.BytesIO(data)).info) is said
    found = store.load("0" * 16)
    assert found is not None and found.record["prompt"] == SECRET
