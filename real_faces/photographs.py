"""The photographs, and what a person who looked at them says of each: `photographs.json`."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from .files import LABELS, files


@dataclass(frozen=True)
class LabelledFace:
    """A face as a person sees it: its box x0, y0, x1, y1 px, hairline to chin, within the picture.

    view: of VOCABULARY where it is plain to see, '' where it is between two.
    """

    box: tuple[float, float, float, float]
    view: str = ""

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.box[0] <= x <= self.box[2] and self.box[1] <= y <= self.box[3]


@dataclass(frozen=True)
class Photograph:
    """A picture of a package, and what is known of it.

    faces: all that are plain to see. who: the person, where it is one; the same word for the same
    person. framing, expression: of VOCABULARY, '' where none fits well. kind: photograph, painting,
    drawing, mask or mean of many faces. again: the name of another one that it is a part or a copy
    of, or the next moment of. focus: sharp, or soft where it could be called blurred. note: what
    else is to be known.
    """

    name: str
    package: str
    file: str
    faces: tuple[LabelledFace, ...]
    who: str = ""
    framing: str = ""
    expression: str = ""
    kind: str = "photograph"
    again: str = ""
    focus: str = "sharp"
    note: str = ""

    @property
    def portrait(self) -> bool:
        """Whether it is a photograph of one person, and no other one over again."""
        return self.kind == "photograph" and len(self.faces) == 1 and not self.again

    @property
    def path(self) -> Path:
        """The file on this machine; raises `files.NotFetched`."""
        if self.package == "scikit-image":
            found = importlib.util.find_spec("skimage")
            assert found is not None and found.origin is not None
            return Path(found.origin).parent / "data" / self.file
        return files() / self.file

    @property
    def image(self) -> torch.Tensor:
        """The picture upright, (H, W, 3) float32 in 0..1, without its alpha."""
        from PIL import Image, ImageOps

        with Image.open(self.path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
        return torch.from_numpy(np.asarray(upright, dtype=np.float32) / 255)


@cache
def photographs() -> dict[str, Photograph]:
    """All of them by name."""
    found = {}
    for row in json.loads(LABELS.read_text("utf-8")):
        faces = tuple(
            LabelledFace((*face["box"],), face.get("view", "")) for face in row.pop("faces")
        )
        found[row["name"]] = Photograph(faces=faces, **row)
    return found
