"""Datasets to disk and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui

from ...engine.comfyui.progress import progress_bar
from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.core.letters import is_portable
from ...engine.dataset.formats import PictureFormat
from ...engine.dataset.layouts import Layout
from ...engine.families.flux import FLUX
from ...engine.families.recipes import exported
from ...engine.families.table import family as family_called
from ...engine.store.captions_by_hand import keep_by_hand
from ...engine.store.files import contained
from ...engine.studio.judge import Judge
from ...engine.vision.showing import measured
from ..common import sockets
from ..common.folders import character_folder, dataset_folder
from ..common.inputs import judge_input
from ..common.node import Node

if TYPE_CHECKING:
    from ...engine.dataset.export import Export


class FacetDatasetExporter(Node):
    """Writes a character as a training dataset."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDatasetExporter",
            display_name="Facet Dataset Exporter",
            category="Facet/Dataset",
            description="Writes images, captions and masks to output/facet/<character>/dataset, "
            "in the layout of other trainers. A caption file that you edited is never "
            "overwritten.",
            search_aliases=[
                "save dataset",
                "kohya",
                "metadata.jsonl",
                "training folder",
                "ai-toolkit",
                "OneTrainer",
                "zip",
            ],
            is_output_node=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.Combo.Input(
                    "layout",
                    options=Layout,
                    default=Layout.KOHYA,
                    tooltip="kohya: '10_zqx person' with a .txt beside each image (sd-scripts, "
                    "FluxGym). flat: one folder with .txt. metadata: metadata.jsonl (Hugging "
                    "Face). zip: for hosted trainers. ai_toolkit, onetrainer: with the trainer's "
                    "own config. asset_library: characters/<name> with reference images and "
                    "prompts.txt.",
                ),
                io.String.Input(
                    "folder",
                    default="",
                    tooltip="Name of the folder in output/facet/<character>/dataset; empty takes "
                    "the layout's name.",
                ),
                io.Int.Input(
                    "repeats",
                    default=10,
                    min=1,
                    max=1000,
                    tooltip="The number before the kohya folder's name: how often each image is "
                    "seen in an epoch. A shot's weight multiplies it.",
                ),
                io.Combo.Input(
                    "image_format",
                    options=PictureFormat,
                    default=PictureFormat.PNG,
                    optional=True,
                    tooltip="File format of the images. png and webp_lossless keep the exact "
                    "pixels; webp and jpeg are smaller and lossy.",
                ),
                io.Int.Input(
                    "quality",
                    default=95,
                    min=1,
                    max=100,
                    optional=True,
                    tooltip="Quality of webp and jpeg.",
                ),
                io.Combo.Input(
                    "family",
                    options=[one.key for one in exported()],
                    default=FLUX.key,
                    optional=True,
                    tooltip="The model that you will train elsewhere: the command for sd-scripts "
                    "and the configs of ai-toolkit and OneTrainer are written for it.",
                ),
                io.Boolean.Input(
                    "save_workflow",
                    default=True,
                    optional=True,
                    tooltip="Embeds this workflow in each image, as ComfyUI's own nodes do. "
                    "Switch it off before you share the images.",
                ),
            ],
            outputs=[io.String.Output("path", tooltip="The dataset's folder.")],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        layout: str,
        folder: str,
        repeats: int,
        image_format: str = PictureFormat.PNG.value,
        quality: int = 95,
        family: str = FLUX.key,
        save_workflow: bool = True,
    ) -> io.NodeOutput:
        from ...engine.dataset.export import Options, export

        chosen = Layout(layout)
        workflow = cls._workflow() if save_workflow else {}
        options = Options(PictureFormat(image_format), quality, family_called(family), workflow)
        root = character_folder(character, "dataset")
        target = contained(root, folder.strip() or chosen.value)
        if target == root or not all(map(is_portable, target.relative_to(root).parts)):
            raise FacetError(
                f"{folder!r} is not the name of a folder on every system; give a plain word, or "
                "leave it empty."
            )
        keep_by_hand(character_folder(character), {})  # which has to work before we begin
        done = export(character, target, chosen, repeats, progress_bar(), options)
        keep_by_hand(character_folder(character), done.edited)
        return io.NodeOutput(str(done.folder), ui=ui.PreviewText(said(done)))

    @classmethod
    def _workflow(cls) -> dict[str, str]:
        """The graph by the keywords under which ComfyUI's page looks for it in a picture."""
        hidden = cls.hidden
        if hidden is None:
            return {}
        graph = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
        return {key: json.dumps(value) for key, value in graph.items() if value}


class FacetDatasetLoader(Node):
    """Reads a dataset back as a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDatasetLoader",
            display_name="Facet Dataset Loader",
            category="Facet/Dataset",
            description="Reads a folder or a zip from ComfyUI's output or input folder: one that "
            "the exporter wrote, with your edits, or any images with captions.",
            search_aliases=["load dataset", "import dataset", "image folder", "captions"],
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    placeholder="facet/My_character/dataset/kohya",
                    tooltip="The folder or zip, relative to ComfyUI's output or input folder.",
                ),
                io.String.Input(
                    "name",
                    default="",
                    optional=True,
                    tooltip="The character's name; empty takes it from the folder.",
                ),
                io.String.Input(
                    "trigger",
                    default="",
                    optional=True,
                    tooltip="The trigger word; empty takes it from facet.json or the kohya folder.",
                ),
                io.String.Input(
                    "class_word",
                    default="",
                    optional=True,
                    tooltip="What the character is; empty takes it from the folder, or 'person'.",
                ),
                io.String.Input(
                    "original",
                    default="",
                    optional=True,
                    tooltip="File name of the original; empty takes the image that is marked or "
                    "named original, or else the first.",
                ),
                judge_input(
                    "Tags what untagged images show: view, framing, expression, several people."
                ),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character."),
                io.String.Output("report", tooltip="What was read, and what could not be read."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str | None, **_others: Any) -> str:
        from ...engine.dataset.tree import fingerprint

        if folder is None:  # wired: what it holds is known only when the node runs
            return ""
        try:
            return fingerprint(_place(folder))
        except FacetError as error:
            return str(error)

    @classmethod
    def execute(
        cls,
        folder: str,
        name: str = "",
        trigger: str = "",
        class_word: str = "",
        original: str = "",
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        from ...engine.dataset.load import load
        from ...engine.dataset.naming import Names

        names = Names(name.strip(), trigger.strip(), class_word.strip(), original.strip())
        loaded = load(_place(folder), names, progress_bar())
        judge = judge or Judge()
        seen = measured(loaded.character, judge.face_model, judge.person_detector)
        report = "\n".join([loaded.report, *seen.lines])
        return io.NodeOutput(seen.character, report, ui=ui.PreviewText(report))


def _place(folder: str) -> Path:
    """The folder or zip called ``folder``; FacetError when no disk can have such a name."""
    try:
        return dataset_folder(folder)
    except OSError as error:
        raise FacetError(
            f"The folder {folder[:60]!r}… cannot be looked for ({error.strerror or error}); give "
            "another name."
        ) from error


def said(done: Export) -> str:
    """What the exporter shows: what it did, and where edited captions went."""
    if not done.edited:
        return done.summary
    return f"{done.summary}\nKept as written by hand, for every later run: {len(done.edited)}."


NODES = [FacetDatasetExporter, FacetDatasetLoader]
