"""Captions for the dataset."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ..engine.captions.policy import CaptionPolicy, PolicyKind
from ..engine.captions.writer import caption_report, write_captions
from ..engine.character import Character
from . import sockets


class FacetCaptionWriter(io.ComfyNode):
    """Writes a caption for each picture of a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCaptionWriter",
            display_name="Facet Caption Writer",
            category="Facet/Dataset",
            description="Writes each picture's caption from what is known about it. "
            "What a caption names stays changeable; what it leaves out binds to the trigger.",
            search_aliases=["caption", "tagger", "dataset captions", "trigger word"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.Combo.Input(
                    "policy",
                    options=PolicyKind,
                    default=PolicyKind.BIND_TO_TRIGGER,
                    tooltip="bind_to_trigger: trigger, framing, view, expression, pose, outfit, "
                    "background, light, so that face and hair bind to the trigger. trigger_only: "
                    "'zqx person' and nothing else. describe_identity: the description as well. "
                    "template: your own.",
                ),
                io.Boolean.Input(
                    "keep_existing",
                    default=True,
                    tooltip="Keeps captions that are there already; off writes all anew.",
                ),
                io.String.Input(
                    "description",
                    default="",
                    optional=True,
                    tooltip="With describe_identity: who it is, such as 'a 23-year-old woman with "
                    "red hair'.",
                ),
                io.String.Input(
                    "template",
                    default="a photo of {trigger} {class_word}, {tags}",
                    optional=True,
                    tooltip="With template: your text, with any of {trigger} {class_word} {name} "
                    "{tags} {framing} {view} {expression} {pose} {outfit} {background} {lighting} "
                    "{details}. What is not known is left out.",
                ),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character with captions."),
                io.String.Output("report", tooltip="What was written, and what is wrong with it."),
            ],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        policy: str,
        keep_existing: bool,
        description: str = "",
        template: str = "a photo of {trigger} {class_word}, {tags}",
    ) -> io.NodeOutput:
        try:
            rules = CaptionPolicy(PolicyKind(policy), description, template)
        except ValueError as error:
            raise ValueError(f"Facet Caption Writer: {error}") from None
        captioned = write_captions(character, rules, keep_existing)
        report = caption_report(character, captioned)
        return io.NodeOutput(captioned, report, ui=ui.PreviewText(report))


NODES = [FacetCaptionWriter]
