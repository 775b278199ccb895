"""Face recognition models of one's own, which tell who a face is."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy_api.latest import io, ui

from ...engine.core.errors import FacetError
from ...engine.vision.embedder_card import card_beside
from ...engine.vision.recognition import SUFFIXES
from ..common import sockets
from ..common.node import Node

FOLDERS = ("face_recognition", "insightface")
"""Below ComfyUI's models folder. Packs that use InsightFace keep their files in the second one."""
OTHERS = ("1k3d68", "2d106det", "det_", "genderage", "inswapper", "scrfd")
"""How the names of those files in InsightFace's packs begin that recognise nobody."""

for _folder in FOLDERS:
    folder_paths.add_model_folder_path(
        _folder, str(Path(folder_paths.models_dir) / _folder), is_default=False
    )


def face_models() -> dict[str, Path]:
    """The face recognition models on disk, by what the node calls them."""
    found: dict[str, Path] = {}
    for folder in FOLDERS:
        for name in folder_paths.get_filename_list(folder):
            file = Path(name)
            if file.suffix.lower() in SUFFIXES and not file.name.lower().startswith(OTHERS):
                path = folder_paths.get_full_path(folder, name)
                if path is not None:
                    found.setdefault(name, Path(path))
    return found


def chosen(name: str) -> Path:
    """The file that the node calls ``name``; FacetError when it is none of those it lists."""
    path = face_models().get(name)
    if path is None:
        raise FacetError(
            f"There is no face recognition model {name!r}; put a safetensors or ONNX file into "
            f"{' or '.join(f'models/{folder}' for folder in FOLDERS)} and choose it."
        )
    return path


class FacetFaceEmbedder(Node):
    """Loads a face recognition model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetFaceEmbedder",
            display_name="Facet Face Embedder",
            category="Facet/Studio",
            description="Loads a face recognition model of the ArcFace family, an IResNet as "
            "safetensors or any as ONNX, and other recognition models with a small JSON beside "
            "them. It tells who a face is, where a CLIP_VISION only tells what an image looks "
            "like.",
            search_aliases=[
                "arcface",
                "insightface",
                "auraface",
                "antelopev2",
                "buffalo_l",
                "face recognition",
                "face similarity",
                "ccip",
                "anime character recognition",
            ],
            inputs=[
                io.Combo.Input(
                    "face_model",
                    options=sorted(face_models()),
                    tooltip="A file in models/face_recognition or models/insightface, as "
                    "safetensors or ONNX: glintr100 of antelopev2 or AuraFace, w600k_r50 of "
                    "buffalo_l. For any other, write <name>.facet.json beside it, as the help "
                    "page shows. ONNX needs onnxruntime.",
                ),
                io.Boolean.Input(
                    "mirrored",
                    default=True,
                    advanced=True,
                    tooltip="Embeds each face and its mirror image, and takes the mean: "
                    "steadier, for twice the time.",
                ),
            ],
            outputs=[
                sockets.FaceEmbedder.Output(
                    "face_embedder", tooltip="For the face_embedder of Facet Judge."
                ),
                io.String.Output("about", tooltip="What was loaded, its licence and its origin."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, face_model: str, **_: object) -> str:
        path = face_models().get(face_model)
        if path is None:
            return ""
        there = [file for file in (path, card_beside(path)) if file.is_file()]
        states = [file.stat() for file in there]
        return f"{path} {[(state.st_mtime_ns, state.st_size) for state in states]}"

    @classmethod
    def execute(cls, face_model: str, mirrored: bool = True) -> io.NodeOutput:
        from ...engine.vision.embedders import FaceEmbedder, about
        from ...engine.vision.recognition import open_face_model

        embedder = FaceEmbedder(open_face_model(chosen(face_model)), mirrored)
        told = about(embedder)
        return io.NodeOutput(embedder, told, ui=ui.PreviewText(told))


NODES = [FacetFaceEmbedder]
