"""Recognition models as ONNX, which carry their own graph, run by onnxruntime on the processor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.errors import FacetError
from .alignment import SIDE
from .embedder_card import CHANNELS, EmbedderCard, Normalisation, card_beside

BYTES_NODES = (b"_minusscalar0", b"_mulscalar0")
"""What old MXNet exports call their first nodes, which bring pixels of 0..255 into their range;
InsightFace tells by these names which pixels a file wants, and so do we."""
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
PACKS = "Of InsightFace's packs it is glintr100 or w600k_r50."


class OnnxModel:
    """The graph in the file ``path``, which makes an embedding of a picture.

    card: what the JSON beside it says, None where there is none: then it is one of the ArcFace
    family. Raises FacetError with a sentence when it is something else, or does not fit its card.
    """

    def __init__(self, path: Path, card: EmbedderCard | None) -> None:
        self.name = path.name
        data = _bytes_of(path)
        self.digest = hashlib.sha256(data).hexdigest()[:16]
        self.session = session_of(path.name, data)
        self.metadata: Mapping[str, str] = self.session.get_modelmeta().custom_metadata_map
        inputs = self.session.get_inputs()
        shapes = [list(one.shape[1:]) for one in inputs]
        if card is None and shapes != [[CHANNELS, SIDE, SIDE]]:
            raise FacetError(
                f"{path.name} is no face recognition model that Facet knows by itself: it takes "
                f"{shapes}, where [[{CHANNELS}, {SIDE}, {SIDE}]] is needed. Say in "
                f"{card_beside(path).name} beside it how it is shown an image, or use another. "
                f"{PACKS}"
            )
        if len(inputs) != 1 or inputs[0].type not in TYPES or len(shapes[0]) != 3:
            taken = ", ".join(f"{one.type} {one.shape}" for one in inputs)
            raise FacetError(
                f"{path.name} takes {taken or 'nothing'}; an embedder takes one batch of images in "
                "floating point."
            )
        (self.input,) = inputs
        card = card or EmbedderCard()
        self.channels_last, self.card = _fitted(path, shapes[0], card)
        self.output = self._output(card.output)
        takes_bytes = all(name in data for name in BYTES_NODES)
        self.normalisation = Normalisation.of(card, takes_bytes)
        answer = self(torch.zeros(1, CHANNELS, self.card.size, self.card.size))
        if answer.ndim != 2 or len(answer) != 1:
            raise FacetError(
                f"{path.name} is no face recognition model: for one image it gives "
                f"{list(answer.shape)} numbers. {PACKS}"
            )
        self.dimensions = answer.shape[1]

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """The embeddings (N, D) float32 of ``pictures`` (N, 3, S, S) in 0..1."""
        pixels = self.normalisation(pictures.to("cpu", torch.float32))
        if self.channels_last:
            pixels = pixels.movedim(1, -1)
        # Many exports take one face at a time.
        step = self.input.shape[0] if isinstance(self.input.shape[0], int) else len(pixels)
        return torch.cat([self._run(part) for part in pixels.split(step)])

    def _run(self, pixels: torch.Tensor) -> torch.Tensor:
        values = np.ascontiguousarray(pixels.numpy(), dtype=TYPES[self.input.type])
        # What the runtime raises derives from Exception alone.
        try:
            (answer,) = self.session.run([self.output], {self.input.name: values})
        except Exception as error:
            raise FacetError(
                f"The layers in {self.name} do not fit one another ({first_line(error)}); fetch it "
                "again."
            ) from error
        numbers = torch.from_numpy(answer).float()
        # Some keep the one cell that pooling leaves.
        one_cell = numbers.ndim > 2 and all(extent == 1 for extent in numbers.shape[2:])
        return numbers.flatten(1) if one_cell else numbers

    def _output(self, wanted: str) -> str:
        outputs = [one.name for one in self.session.get_outputs()]
        if wanted in outputs or (not wanted and len(outputs) == 1):
            return wanted or outputs[0]
        raise FacetError(
            f"{self.name} gives {', '.join(map(repr, outputs[:10]))}"
            + (f" and no {wanted!r}" if wanted else "")
            + f"; name the one to take as output in {card_beside(Path(self.name)).name} beside it."
        )


def session_of(name: str, data: bytes) -> Any:
    """onnxruntime's session for the graph in ``data``."""
    try:
        import onnxruntime
    except ImportError as error:
        raise FacetError(
            f"{name} needs onnxruntime: install it into ComfyUI's Python with `pip install "
            "onnxruntime`, or use a safetensors file."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said by us
    # What the runtime raises for a bad file derives from Exception alone.
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise FacetError(f"{name} cannot be read ({first_line(error)}); fetch it again.") from error


def first_line(error: Exception) -> str:
    """The first line of ``error``, of at most 200 letters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FacetError(
            f"{path.name} cannot be read ({first_line(error)}); fetch it again."
        ) from error
    # A tensor in another file says its "location". Newer runtimes refuse such graphs when they are
    # given bytes, as here; older ones would read any file that the graph names.
    if b"location" in data:
        raise FacetError(
            f"{path.name} keeps its weights in another file; use a file that holds them itself."
        )
    return data


def _fitted(path: Path, shape: list[Any], card: EmbedderCard) -> tuple[bool, EmbedderCard]:
    """Whether colours come last in ``shape``, without the batch, and ``card`` with the size."""
    beside = card_beside(path).name
    last = shape[0] != CHANNELS
    colours, sides = (shape[2], shape[:2]) if last else (shape[0], shape[1:])
    fixed = {side for side in sides if isinstance(side, int)}
    if colours != CHANNELS or len(fixed) > 1:
        raise FacetError(
            f"{path.name} takes {shape}; an embedder takes square images of three colours."
        )
    side = next(iter(fixed), 0)
    if not side and not card.size:
        raise FacetError(f"{path.name} takes images of any size; write its size into {beside}.")
    if side and card.size not in (0, side):
        raise FacetError(
            f"{path.name} takes images of {side} px, and {beside} says {card.size}; write {side}, "
            "or leave the size out."
        )
    return last, replace(card, size=card.size or side)
