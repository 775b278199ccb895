"""Datasets to disk and back."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy.utils import ProgressBar
from comfy_api.latest import io, ui

from ..engine.character import Character
from ..engine.dataset.export import export
from ..engine.dataset.layouts import Layout
from ..engine.dataset.load import Names, fingerprint, load
from ..engine.files import contained
from . import sockets
from .folders import character_folder


class FacetDatasetExporter(io.ComfyNode):
    """Writes a character as a training dataset."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDatasetExporter",
            display_name="Facet Dataset Exporter",
            category="Facet/Dataset",
            description="Writes pictures, captions and masks to output/facet/<character>/dataset, "
            "as other trainers want them. A caption file that you edit is never written over.",
            search_aliases=["save dataset", "kohya", "metadata.jsonl", "training folder"],
            is_output_node=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.Combo.Input(
                    "layout",
                    options=Layout,
                    default=Layout.KOHYA,
                    tooltip="kohya: '10_zqx person' with a .txt beside each picture (sd-scripts, "
                    "FluxGym). flat: one folder with .txt (ai-toolkit, OneTrainer). metadata: "
                    "metadata.jsonl (Hugging Face).",
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
                    tooltip="The number before the kohya folder's name: how often each picture is "
                    "seen in an epoch. A shot's weight multiplies it.",
                ),
            ],
            outputs=[io.String.Output("path", tooltip="The dataset's folder.")],
        )

    @classmethod
    def execute(cls, character: Character, layout: str, folder: str, repeats: int) -> io.NodeOutput:
        chosen = Layout(layout)
        progress = ProgressBar(len(character.pictures)).update_absolute
        try:
            root = character_folder(character, "dataset")
            target = contained(root, folder.strip() or chosen.value)
            if target == root:
                raise ValueError(f"{folder!r} is not the name of a folder; leave it empty.")
            done = export(character, target, chosen, repeats, on_picture=progress)
        except ValueError as error:
            raise ValueError(f"Facet Dataset Exporter: {error}") from error
        return io.NodeOutput(str(target), ui=ui.PreviewText(done.summary))


class FacetDatasetLoader(io.ComfyNode):
    """Reads a dataset back as a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetDatasetLoader",
            display_name="Facet Dataset Loader",
            category="Facet/Dataset",
            description="Reads a folder in ComfyUI's output or input folder: one that the exporter "
            "wrote, with your edits, or any folder of pictures with captions.",
            search_aliases=["load dataset", "import dataset", "image folder", "captions"],
            inputs=[
                io.String.Input(
                    "folder",
                    default="",
                    placeholder="facet/My_character/dataset/kohya",
                    tooltip="The folder, as seen from ComfyUI's output or input folder.",
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
                    tooltip="File name of the original picture; empty takes the one that is marked "
                    "or called original, or else the first.",
                ),
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character."),
                io.String.Output("report", tooltip="What was read, and what could not be."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str | None, **_names: str | None) -> str:
        if folder is None:  # wired: what it holds is known only when the node runs
            return ""
        try:
            return fingerprint(dataset_folder(folder))
        except ValueError as error:
            return str(error)

    @classmethod
    def execute(
        cls,
        folder: str,
        name: str = "",
        trigger: str = "",
        class_word: str = "",
        original: str = "",
    ) -> io.NodeOutput:
        names = Names(name.strip(), trigger.strip(), class_word.strip(), original.strip())
        try:
            loaded = load(dataset_folder(folder), names)
        except ValueError as error:
            raise ValueError(f"Facet Dataset Loader: {error}") from error
        return io.NodeOutput(loaded.character, loaded.report, ui=ui.PreviewText(loaded.report))


def dataset_folder(folder: str) -> Path:
    """The folder meant by ``folder`` in ComfyUI's output or input folder.

    Raises ValueError when it is in neither, or not there.
    """
    if not folder.strip():
        raise ValueError("The folder is empty; give one in ComfyUI's output or input folder.")
    inside = False
    for root in (folder_paths.get_output_directory(), folder_paths.get_input_directory()):
        try:
            path = contained(Path(root), folder.strip())
        except ValueError:
            continue
        inside = True
        if path.is_dir():
            return path
    if inside:
        raise ValueError(f"There is no folder {folder!r} in ComfyUI's output or input folder.")
    raise ValueError(f"The folder {folder!r} is outside ComfyUI's output and input folders.")


NODES = [FacetDatasetExporter, FacetDatasetLoader]
