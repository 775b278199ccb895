"""Characters kept in versions, opened again, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.latest import io, ui

from ...engine.comfyui.progress import progress_bar
from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.store.home import home_of
from ..common import sockets
from ..common.folders import characters_folder
from ..common.node import Node

if TYPE_CHECKING:
    from ...engine.dataset.library import Library


def library() -> Library:
    """The versions of every character in ComfyUI's output folder."""
    from ...engine.dataset.library import Library

    return Library(characters_folder())


def labels() -> list[str]:
    """What can be opened; nothing where the output folder cannot be looked into."""
    try:
        return library().labels()
    except (FacetError, OSError):
        return []


class FacetSaveCharacter(Node):
    """Keeps a character as a version."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetSaveCharacter",
            display_name="Facet Save Character",
            category="Facet/Dataset",
            description="Saves the character as its next version in "
            "output/facet/<character>/library: images, captions, tags, scores and decisions. No "
            "version is ever overwritten, and an unchanged character makes no new one.",
            search_aliases=["save version", "character library", "snapshot", "backup dataset"],
            is_output_node=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.String.Input(
                    "note",
                    default="",
                    optional=True,
                    placeholder="before the retouch",
                    tooltip="A note about this version.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "version", tooltip="The name of the version, such as 'My_character/v2'."
                )
            ],
        )

    @classmethod
    def execute(cls, character: Character, note: str = "") -> io.NodeOutput:
        kept = library()
        saved = kept.save(character, note, on_picture=progress_bar())
        home = home_of(kept.root, character)
        versions = kept.versions(home.folder.name)
        label = saved.version.label
        head = f"Saved as {label}." if saved.new else f"{label} is just this; nothing was saved."
        head = " ".join(filter(None, (head, home.note)))
        text = "\n".join([head, "", *(version.line for version in reversed(versions))])
        return io.NodeOutput(label, ui=ui.PreviewText(text))


class FacetOpenCharacter(Node):
    """Opens a version of a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetOpenCharacter",
            display_name="Facet Open Character",
            category="Facet/Dataset",
            description="Opens a saved version of a character in output/facet. After saving a "
            "new one, press R to refresh the list.",
            search_aliases=["load character", "character library", "open version", "restore"],
            inputs=[
                io.Combo.Input(
                    "version",
                    options=labels(),
                    tooltip="The character and the version; newest is the one saved last.",
                )
            ],
            outputs=[
                sockets.Character.Output("character", tooltip="The character as it was saved."),
                io.String.Output("report", tooltip="Which version it is, and its note."),
            ],
        )

    @classmethod
    def validate_inputs(cls, version: str | None) -> bool | str:
        """Checks against what is on the disk now: the list may be older."""
        try:
            return version is None or library().find(version) is not None
        except FacetError as error:
            return str(error)

    @classmethod
    def fingerprint_inputs(cls, version: str | None) -> str:
        if version is None:  # wired: which one it is is known only when the node runs
            return ""
        try:
            folder = library().find(version)
            return f"{folder} {folder.stat().st_mtime_ns}"
        except FacetError as error:
            return str(error)

    @classmethod
    def execute(cls, version: str) -> io.NodeOutput:
        opened = library().open(version, on_picture=progress_bar())
        report = opened.version.line
        return io.NodeOutput(opened.character, report, ui=ui.PreviewText(report))


class FacetCompareVersions(Node):
    """Shows what two states of a character differ in."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCompareVersions",
            display_name="Facet Compare Versions",
            category="Facet/Dataset",
            description="Shows what changed between two states of a character: images added and "
            "removed, captions, and the coverage of views, light and clothes.",
            search_aliases=["diff dataset", "compare dataset", "coverage", "what changed"],
            inputs=[
                sockets.Character.Input(
                    "before", tooltip="The earlier state: opened, or from earlier in the graph."
                ),
                sockets.Character.Input("after", tooltip="The later state."),
            ],
            outputs=[
                io.String.Output("text", tooltip="What changed, as text."),
                io.Image.Output(
                    "picture", tooltip="The same as an image, with the images added and removed."
                ),
            ],
        )

    @classmethod
    def execute(cls, before: Character, after: Character) -> io.NodeOutput:
        from ...engine.dataset.compare import compare
        from ...engine.dataset.compare_image import comparison_image

        comparison = compare(before, after)
        text = comparison.text()
        picture = comparison_image(comparison)[None]
        return io.NodeOutput(text, picture, ui=ui.PreviewText(text))


NODES = [FacetSaveCharacter, FacetOpenCharacter, FacetCompareVersions]
