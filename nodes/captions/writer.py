"""Captions for the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ...engine.captions.asking import parse_axes
from ...engine.captions.policy import CaptionPolicy, PolicyKind
from ...engine.captions.words import form_of
from ...engine.comfyui.progress import progress_bar
from ...engine.core.character import Character
from ...engine.core.vocabulary import AXES
from ...engine.core.words import ENGLISH, languages
from ...engine.families.family import Form
from ...engine.store.captions_by_hand import FILE, captions_by_hand, with_captions_by_hand
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ...engine.vision.showing import measured
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import judge_input, studio_input
from ..common.node import Node
from ..common.vision_models import NONE, chosen_vision_model, register, vlm_folders

if TYPE_CHECKING:
    from ...engine.captions.filling import Filling

FILL = "background, lighting"

register()


class FacetCaptionWriter(Node):
    """Writes a caption for each picture of a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCaptionWriter",
            display_name="Facet Caption Writer",
            category="Facet/Dataset",
            description="Writes a caption for each image from its tags. What a caption names stays "
            "promptable; what it leaves out binds to the trigger.",
            search_aliases=["caption", "tagger", "dataset captions", "trigger word", "vlm"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.Combo.Input(
                    "policy",
                    options=PolicyKind,
                    default=PolicyKind.BIND_TO_TRIGGER,
                    tooltip="bind_to_trigger: trigger, framing, view, expression, pose, outfit, "
                    "background and lighting, so that face and hair bind to the trigger. "
                    "trigger_only: 'zqx person' and nothing else. describe_identity: adds the "
                    "description. template: your own text.",
                ),
                io.Boolean.Input(
                    "keep_existing",
                    default=True,
                    tooltip="Keeps existing captions. Off: rewrites all of them, except those "
                    "that you wrote by hand.",
                ),
                io.String.Input(
                    "description",
                    default="",
                    optional=True,
                    tooltip="For describe_identity: what the character looks like, such as 'a "
                    "23-year-old woman with red hair'.",
                ),
                io.String.Input(
                    "template",
                    default="a photo of {trigger} {class_word}, {tags}",
                    optional=True,
                    tooltip="For template: your own text with any of {trigger} {class_word} {name} "
                    "{tags} {framing} {view} {expression} {pose} {outfit} {background} {lighting} "
                    "{details}. Unknown fields are left out.",
                ),
                *later_inputs(),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character with captions."),
                io.String.Output(
                    "report", tooltip="What was written, and the problems found in it."
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """Changes when a person wrote a caption."""
        root = Path(folder_paths.get_output_directory()) / "facet"
        files = sorted(root.glob(f"*/{FILE}"))
        return repr([(path.parent.name, path.stat().st_mtime_ns) for path in files])

    @classmethod
    def execute(
        cls,
        character: Character,
        policy: str,
        keep_existing: bool,
        description: str = "",
        template: str = "a photo of {trigger} {class_word}, {tags}",
        form: str = Form.AUTO.value,
        language: str = ENGLISH,
        fill: str = FILL,
        vlm_folder: str = NONE,
        vlm: Any = None,
        studio: Studio | None = None,
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        from ...engine.captions.filling import Filling
        from ...engine.captions.writer import caption_report, write_captions
        from ...engine.dataset.layouts import names_of
        from ...engine.dataset.lint.captions import caption_findings
        from ...engine.dataset.lint.lines import finding_lines

        rules = CaptionPolicy(
            PolicyKind(policy),
            description,
            template,
            form_of(Form(form), studio and studio.model),
            language,
        )
        axes = [axis for axis in parse_axes(fill) if axis in rules.axes()]
        vision_model = chosen_vision_model(vlm, vlm_folder)
        folder = character_folder(character)
        known = with_captions_by_hand(character, captions_by_hand(folder))
        judge = judge or Judge()
        seen = measured(known, judge.face_model, judge.person_detector)
        known, notes = seen.character, seen.lines
        if vision_model is not None:
            filling = Filling(vision_model, axes, rules.words, not rules.binds)
            known, told = tagged_by_vision_model(known, filling, keep_existing, folder)
            notes += told
        captioned = write_captions(known, rules, keep_existing)
        faults = finding_lines(caption_findings(captioned), names_of(captioned))
        report = caption_report(character, captioned, rules, notes, faults)
        return io.NodeOutput(captioned, report, ui=ui.PreviewText(report))


def tagged_by_vision_model(
    character: Character, filling: Filling, keep_existing: bool, folder: Path
) -> tuple[Character, list[str]]:
    """``character`` with tags from a VLM on the images that need a caption, and its report."""
    from ...engine.captions.vision import Memory
    from ...engine.captions.writer import unwritten

    wanted = {shot.hash for shot in unwritten(character, keep_existing)}
    seen, filled = filling.fill(character, wanted, Memory(folder), progress_bar())
    return seen, filled.lines()


def later_inputs() -> list[io.Input]:
    """What came later, in the order it came in."""
    return [
        io.Combo.Input(
            "form",
            options=Form,
            default=Form.AUTO,
            optional=True,
            tooltip="phrases: separated by commas, for Stable Diffusion and the demo. sentences: "
            "for Flux, Qwen-Image and others with a language model as text encoder. tags: for "
            "models trained on tags, such as Illustrious. auto: follows the model family of the "
            "connected studio; phrases if none is connected.",
        ),
        io.Combo.Input(
            "language",
            options=languages(),
            default=ENGLISH,
            optional=True,
            tooltip="Language of the captions. Most models know English best.",
        ),
        io.String.Input(
            "fill",
            default=FILL,
            optional=True,
            tooltip=f"What the VLM is asked where a tag is missing, any of: {', '.join(AXES)}.",
        ),
        io.Combo.Input(
            "vlm_folder",
            options=[NONE, *vlm_folders()],
            default=NONE,
            optional=True,
            tooltip="A VLM in a folder of models/vlm or models/LLM, in the format of the "
            "transformers library: Qwen-VL, JoyCaption, LLaVA, Florence-2, BLIP. The report states "
            "its licence.",
        ),
        io.Clip.Input(
            "vlm",
            optional=True,
            tooltip="A CLIP that sees images and writes text, such as Qwen3-VL, Qwen3.5 or Gemma "
            "4; replaces vlm_folder. A CLIP that only encodes text is refused.",
        ),
        studio_input(
            "The studio that you will train in. If connected, form 'auto' follows its model "
            "family.",
            optional=True,
        ),
        judge_input("Tags what untagged images show: view, framing, expression, several people."),
    ]


NODES = [FacetCaptionWriter]
