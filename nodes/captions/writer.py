"""Captions for the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ...engine.captions.asking import AXES, parse_axes
from ...engine.captions.by_hand import FILE, captions_by_hand, with_captions_by_hand
from ...engine.captions.policy import CaptionPolicy, PolicyKind
from ...engine.captions.words import ENGLISH, Form, form_of, languages
from ...engine.core.character import Character
from ..common import sockets
from ..common.errors import errors_from
from ..common.folders import character_folder
from ..common.vision_models import NONE, chosen_vision_model, progress, register, vlm_folders

if TYPE_CHECKING:
    from ...engine.captions.filling import Filling

FILL = "background, lighting"

register()


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
            search_aliases=["caption", "tagger", "dataset captions", "trigger word", "vlm"],
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
                    tooltip="Keeps captions that are there already; off writes all anew, but for "
                    "those that you wrote by hand.",
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
                *later_inputs(),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character with captions."),
                io.String.Output("report", tooltip="What was written, and what is wrong with it."),
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
        model: Any = None,
    ) -> io.NodeOutput:
        from ...engine.captions.filling import Filling
        from ...engine.captions.writer import caption_report, write_captions

        with errors_from(cls):
            rules = CaptionPolicy(
                PolicyKind(policy), description, template, form_of(Form(form), model), language
            )
            axes = [axis for axis in parse_axes(fill) if axis in rules.axes()]
            vision_model = chosen_vision_model(vlm, vlm_folder)
            folder = character_folder(character)
            known = with_captions_by_hand(character, captions_by_hand(folder))
            notes: list[str] = []
            if vision_model is not None:
                filling = Filling(vision_model, axes, rules.words, not rules.binds)
                known, notes = looked_at(known, filling, keep_existing, folder)
            captioned = write_captions(known, rules, keep_existing)
        report = caption_report(character, captioned, rules, notes)
        return io.NodeOutput(captioned, report, ui=ui.PreviewText(report))


def looked_at(
    character: Character, filling: Filling, keep_existing: bool, folder: Path
) -> tuple[Character, list[str]]:
    """``character`` with what a model says about pictures that want a caption; and a report."""
    from ...engine.captions.vision import Memory
    from ...engine.captions.writer import unwritten

    wanted = {shot.hash for shot in unwritten(character, keep_existing)}
    seen, filled = filling.fill(character, wanted, Memory(folder), progress())
    return seen, filled.lines()


def later_inputs() -> list[io.Input]:
    """What came later, in the order it came in."""
    return [
        io.Combo.Input(
            "form",
            options=Form,
            default=Form.AUTO,
            optional=True,
            tooltip="phrases: parted by commas, for Stable Diffusion and the demo. sentences: for "
            "Flux, Qwen-Image and others with a language model. tags: for models trained on tags, "
            "such as Illustrious. auto: by the model that is connected, else phrases.",
        ),
        io.Combo.Input(
            "language",
            options=languages(),
            default=ENGLISH,
            optional=True,
            tooltip="The language of the captions. Most models know English best.",
        ),
        io.String.Input(
            "fill",
            default=FILL,
            optional=True,
            tooltip="What the vision-language model is asked about where nothing is known, any of: "
            f"{', '.join(AXES)}.",
        ),
        io.Combo.Input(
            "vlm_folder",
            options=[NONE, *vlm_folders()],
            default=NONE,
            optional=True,
            tooltip="A vision-language model in a folder of models/vlm or models/LLM, as the "
            "transformers library has it: Qwen-VL, JoyCaption, LLaVA, Florence-2, BLIP. Its "
            "licence is in the report.",
        ),
        io.Clip.Input(
            "vlm",
            optional=True,
            tooltip="A CLIP that sees and answers, such as Qwen3-VL, Qwen3.5 or Gemma 4, instead "
            "of a vlm_folder. One that only encodes text is refused.",
        ),
        io.Model.Input(
            "model",
            optional=True,
            tooltip="The model to train, which tells form 'auto' what it likes.",
        ),
    ]


NODES = [FacetCaptionWriter]
