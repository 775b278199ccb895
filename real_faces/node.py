"""The real networks as a node, for prompts in a ComfyUI under test."""

from __future__ import annotations

from comfy_api.latest import io

from .models import SelfieSegmentation, face_model


class RealFaceModels(io.ComfyNode):
    """Outputs the real networks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RealFaceModels",
            category="tests",
            outputs=[
                io.Custom("FACE_DETECTION_MODEL").Output(),
                io.Custom("BACKGROUND_REMOVAL").Output(),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(face_model(), SelfieSegmentation())


NODE_CLASS_MAPPINGS = {"RealFaceModels": RealFaceModels}
