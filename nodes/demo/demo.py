"""The embedded demo: tiny models that truly work, and pictures of people they never saw."""

from __future__ import annotations

from comfy_api.latest import io

from ..common import sockets
from ..common.node import Node


class FacetDemoModels(Node):
    """Loads the embedded demo models."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDemoModels",
            display_name="Facet Demo Models",
            category="Facet/Demo",
            description="Tiny models of cartoon people that come with Facet: no download, no "
            "GPU. For models of your own, use Facet Studio and Facet Judge instead.",
            search_aliases=["demo", "test models", "tiny flux"],
            inputs=[],
            outputs=[
                sockets.Studio.Output(
                    "studio", tooltip="Makes images: the demo models, shown the original."
                ),
                sockets.Judge.Output(
                    "judge", tooltip="Measures images: faces, similarity, background."
                ),
                io.Model.Output(
                    "MODEL", tooltip="A small Flux model for images of 128 by 128 pixels."
                ),
                io.Clip.Output("CLIP", tooltip="Its text encoder."),
                io.Vae.Output("VAE", tooltip="Its VAE."),
                io.ClipVision.Output("CLIP_VISION", tooltip="An encoder that tells people apart."),
                sockets.FaceDetection.Output(
                    "FACE_DETECTION_MODEL", tooltip="A face-landmark model for these people."
                ),
                io.BackgroundRemoval.Output(
                    "BACKGROUND_REMOVAL",
                    tooltip="A model that cuts these people out of their background.",
                ),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from ...engine.demo.models import load_models

        models = load_models()
        return io.NodeOutput(
            models.studio(),
            models.judge(),
            models.model,
            models.clip,
            models.vae,
            models.clip_vision,
            models.face,
            models.background,
        )


class FacetDemoPicture(Node):
    """A picture of somebody whom the demo models have never seen."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDemoPicture",
            display_name="Facet Demo Picture",
            category="Facet/Demo",
            description="An image of a cartoon person that the demo models have never seen.",
            search_aliases=["demo", "example picture", "cartoon person"],
            inputs=[
                io.Int.Input("person", default=0, min=0, max=47, tooltip="Which of the 48 people."),
            ],
            outputs=[io.Image.Output("image", tooltip="The image, 128 by 128 pixels.")],
        )

    @classmethod
    def execute(cls, person: int) -> io.NodeOutput:
        from ...engine.demo.people import demo_picture

        return io.NodeOutput(demo_picture(person)[None])


NODES = [FacetDemoModels, FacetDemoPicture]
