"""MediaPipe's published face networks in the layout that core's FACE_DETECTION_MODEL loads.

Core's own file (mediapipe_face_fp32.safetensors) is in no package. Both detectors, the blendshapes,
the canonical face and the topology are converted number by number; the mesh is another network in
the published bundle than in core, and runs as it is (`models.PublishedMesh`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from .litert import operations

Weights = dict[str, torch.Tensor]

DETECTOR_HEADS = ("cls_16", "cls_8", "reg_16", "reg_8")
FULL_HEADS = ("cls_conv", "cls_dw", "reg_conv", "reg_dw")
MIXER_LAYERS = ("token_mlp1", "token_mlp2", "channel_mlp1", "channel_mlp2")
MIXER_BLOCKS, MIXER_WIDTH = 4, 64
TOPOLOGY = (
    "face_oval", "lips", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow", "irises", "nose",
    "tesselation",
)  # fmt: skip


def core_weights(folder: Path) -> Weights:
    """Everything but the mesh, under core's names, of the files in ``folder``."""
    return {
        **prefixed("detector_short.", short_detector(folder / "face_detector.tflite")),
        **prefixed("detector_full.", full_detector(folder / "face_detection_full_range.tflite")),
        **prefixed("blendshapes.", blendshapes(folder / "face_blendshapes.tflite")),
        **canonical_face(folder / "geometry.binarypb"),
        **prefixed("topology.", topology(folder / "face_mesh_connections.py")),
    }


def prefixed(prefix: str, weights: Weights) -> Weights:
    """``weights`` with ``prefix`` before each name."""
    return {prefix + name: value for name, value in weights.items()}


def convolutions(path: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weight and bias of each convolution of the file, in order, as PyTorch has them."""
    found = []
    for operation in operations(path):
        if operation.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            weight, bias = (torch.from_numpy(operation.constants[place]) for place in (1, 2))
            # TFLite: (out, height, width, in), and (1, height, width, channels) where depthwise.
            order = (0, 3, 1, 2) if operation.name == "CONV_2D" else (3, 0, 1, 2)
            found.append((weight.permute(order).contiguous(), bias))
    return found


def named(names: Iterator[str], layers: list[tuple[torch.Tensor, torch.Tensor]]) -> Weights:
    """``layers`` under ``names``, which are as many."""
    weights: Weights = {}
    for name, (weight, bias) in zip(names, layers, strict=True):
        weights |= {f"{name}.weight": weight, f"{name}.bias": bias}
    return weights


def short_detector(path: Path) -> Weights:
    """BlazeFace for close faces: `comfy_extras.mediapipe.face_landmarker.BlazeFace`."""

    def names() -> Iterator[str]:
        from comfy_extras.mediapipe.face_landmarker import BlazeFace

        yield "stem"
        for number in range(len(BlazeFace(device="meta").blocks)):
            yield f"blocks.{number}.depthwise"
            yield f"blocks.{number}.pointwise"
        yield from DETECTOR_HEADS

    return named(names(), convolutions(path))


def full_detector(path: Path) -> Weights:
    """The detector for far faces: `comfy_extras.mediapipe.face_landmarker.BlazeFaceFullRange`."""

    def block(name: str) -> Iterator[str]:
        yield from (f"{name}.{part}" for part in ("dw1", "pw1", "dw2", "pw2"))

    def names() -> Iterator[str]:
        from comfy_extras.mediapipe import face_landmarker

        network = face_landmarker.BlazeFaceFullRange(device="meta")
        taps = list(face_landmarker._FR_LATERAL_TAP_INDICES)
        yield "stem"
        for number in range(len(network.backbone)):
            yield from block(f"backbone.{number}")
            if number in taps:
                yield f"lateral_convs.{taps.index(number)}"
        yield "top_conv"
        for level, blocks in enumerate(network.decoder_levels):
            for number in range(len(blocks)):
                yield from block(f"decoder_levels.{level}.{number}")
            if level < len(network.decoder_reduce_convs):
                yield f"decoder_reduce_convs.{level}"
        yield from FULL_HEADS

    return named(names(), convolutions(path))


def blendshapes(path: Path) -> Weights:
    """The MLP-Mixer that reads them: `comfy_extras.mediapipe.face_landmarker.FaceBlendshapes`.

    Its linear layers are convolutions of one pixel, a layer norm has a scale and no shift, and the
    class token is what the tokens are put behind.
    """

    def names() -> Iterator[str]:
        yield from ("token_reduce", "token_embed")
        for block in range(MIXER_BLOCKS):
            yield from (f"blocks.{block}.{layer}" for layer in MIXER_LAYERS)
        yield "head"

    linear = [(weight[..., 0, 0], bias) for weight, bias in convolutions(path)]
    weights = named(names(), linear)
    constants = [(one.name, value) for one in operations(path) for value in one.constants.values()]
    scales = [value for name, value in constants if name == "MUL" and value.shape == (MIXER_WIDTH,)]
    norms = [f"blocks.{block}.{norm}" for block in range(MIXER_BLOCKS) for norm in ("ln1", "ln2")]
    for name, scale in zip(norms, scales, strict=True):
        weights[f"{name}.weight"] = torch.from_numpy(scale)
    [token] = [value for name, value in constants if name == "CONCATENATION"]
    weights["cls_token"] = torch.from_numpy(token).reshape(1, 1, MIXER_WIDTH)
    return weights


def canonical_face(path: Path) -> Weights:
    """The face that a transformation matrix turns, and which landmarks say how far."""
    metadata = geometry_message()
    metadata.ParseFromString(path.read_bytes())
    basis = metadata.procrustes_landmark_basis
    # Each vertex is x, y, z and its place in a texture.
    vertices = torch.tensor(list(metadata.canonical_mesh.vertex_buffer)).reshape(-1, 5)
    return {
        "canonical_vertices": vertices[:, :3].contiguous(),
        "procrustes_indices": torch.tensor([one.landmark_id for one in basis], dtype=torch.int32),
        "procrustes_weights": torch.tensor([one.weight for one in basis]),
    }


def geometry_message() -> Any:
    """An empty message of the geometry file, with those of its fields that are read.

    Numbers and types: GeometryPipelineMetadata, Mesh3d and WeightedLandmarkRef of MediaPipe's
    mediapipe/tasks/cc/vision/face_geometry/proto.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    of = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="geometry.proto", package="geometry")
    for message, fields in {
        "Mesh3d": [("vertex_buffer", 3, of.TYPE_FLOAT, of.LABEL_REPEATED, "")],
        "WeightedLandmarkRef": [
            ("landmark_id", 1, of.TYPE_UINT32, of.LABEL_OPTIONAL, ""),
            ("weight", 2, of.TYPE_FLOAT, of.LABEL_OPTIONAL, ""),
        ],
        "GeometryPipelineMetadata": [
            ("canonical_mesh", 1, of.TYPE_MESSAGE, of.LABEL_OPTIONAL, "Mesh3d"),
            (
                "procrustes_landmark_basis",
                2,
                of.TYPE_MESSAGE,
                of.LABEL_REPEATED,
                "WeightedLandmarkRef",
            ),
        ],
    }.items():
        described = file.message_type.add(name=message)
        for name, number, kind, label, other in fields:
            added = described.field.add(name=name, number=number, type=kind, label=label)
            if other:
                added.type_name = f".geometry.{other}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("geometry.GeometryPipelineMetadata")
    return message_factory.GetMessageClass(found)()


def topology(path: Path) -> Weights:
    """The lines between landmarks, (N, 2) int32, of the file's FACEMESH_… constants."""
    found: dict[str, set[tuple[int, int]]] = {}
    for statement in ast.parse(path.read_text("utf-8")).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Call(ast.Name("frozenset"), [pairs])):
                found[name.removeprefix("FACEMESH_").lower()] = set(ast.literal_eval(pairs))
    found["irises"] = found["left_iris"] | found["right_iris"]
    return {part: torch.tensor(sorted(found[part]), dtype=torch.int32) for part in TOPOLOGY}
