"""Refining the shots: larger, finer, in the right colours."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ...engine.comfyui.progress import progress_bar
from ...engine.core.character import Character
from ...engine.generate.retouch.finish import Colours, RefineSettings
from ...engine.generate.retouch.refine import Refine, report
from ...engine.generate.shots.store import ShotStore
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import judge_input, seed_input, studio_input
from ..common.node import Node

NAME = "Facet Refine Shots"
DEFAULTS = RefineSettings()


def _pixels(name: str, default: int, low: int, high: int, tooltip: str) -> io.Input:
    return io.Int.Input(
        name, default=default, min=low, max=high, step=32, advanced=True, tooltip=tooltip
    )


def _share(name: str, default: float, tooltip: str, advanced: bool = False) -> io.Input:
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, advanced=advanced, tooltip=tooltip
    )


def pass_inputs() -> list[io.Input]:
    """What each pass does."""
    return [
        io.Float.Input(
            "upscale_by",
            default=DEFAULTS.upscale_by,
            min=1.0,
            max=8.0,
            step=0.25,
            tooltip="How much larger a shot becomes, whatever the upscale model's own factor. "
            "1 keeps its size.",
        ),
        _share(
            "detail_denoise",
            DEFAULTS.detail_denoise,
            "Denoise of the detail pass over the whole image, tile by tile. 0 skips "
            "this pass; above 0.4 it invents detail.",
        ),
        _share(
            "face_denoise",
            DEFAULTS.face_denoise,
            "Denoise of the face pass, on the enlarged face. 0 skips this pass; needs "
            "the face detection model.",
        ),
        io.Combo.Input(
            "colours",
            options=Colours,
            default=Colours.SHOT,
            tooltip="shot: keeps the shot's colours. original: also matches the face to the "
            "original's colours, unless the shot asks for its own lighting. off: "
            "colours may change.",
        ),
    ]


def fine_inputs() -> list[io.Input]:
    """What hardly anybody changes, and so is folded away."""
    return [
        io.Boolean.Input(
            "show_original",
            default=False,
            advanced=True,
            tooltip="Shows the model the original while it refines, in the studio's reference "
            "mode. Off: it sees only the shot.",
        ),
        _pixels(
            "max_side",
            DEFAULTS.max_side,
            64,
            8192,
            "Maximum length of a refined shot's longer side, in pixels.",
        ),
        _pixels(
            "tile",
            DEFAULTS.tile,
            64,
            4096,
            "Side of a tile, in pixels: the resolution that the model was trained at.",
        ),
        _pixels(
            "overlap",
            DEFAULTS.overlap,
            0,
            2048,
            "What neighbouring tiles share, in pixels; their seam is blended over it.",
        ),
        _pixels(
            "face_size",
            DEFAULTS.face_size,
            64,
            2048,
            "Resolution at which the face is sampled, as the side of a square; a "
            "larger face is left as it is.",
        ),
        _share(
            "face_padding",
            DEFAULTS.face_padding,
            "How far around the face the model sees and blends, as a share of the face.",
            advanced=True,
        ),
        _share(
            "max_identity_loss",
            0.03,
            "Largest loss of similarity to the original: cosine of the CLIP_VISION "
            "embeddings. A refinement that loses more is discarded.",
            advanced=True,
        ),
    ]


class FacetRefineShots(Node):
    """Makes the shots larger and finer, and keeps them the same character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetRefineShots",
            display_name=NAME,
            category="Facet/Shots",
            description="Upscales the shots, resamples their detail and faces, and keeps their "
            "colours. A refinement that would lower the similarity to the original is "
            "discarded.",
            is_output_node=True,
            search_aliases=["upscale", "face detailer", "hires fix", "tiled", "enhance", "refine"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character and its shots."),
                studio_input(
                    "Resamples detail and faces. If not connected, neither pass runs.",
                    optional=True,
                ),
                judge_input("Finds the faces, and measures each shot's similarity."),
                *pass_inputs(),
                seed_input(),
                *fine_inputs(),
                io.UpscaleModel.Input(
                    "upscale_model",
                    optional=True,
                    tooltip="Enlarges the shots, and restores them even at their own size. If not "
                    "connected, they are enlarged bicubically.",
                ),
            ],
            outputs=[
                sockets.Character.Output(
                    "character", tooltip="The character with its shots refined."
                ),
                io.Image.Output(
                    "images", is_output_list=True, tooltip="The refined shots, one by one."
                ),
                io.String.Output("report", tooltip="What was done to each shot."),
            ],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        upscale_by: float = DEFAULTS.upscale_by,
        detail_denoise: float = DEFAULTS.detail_denoise,
        face_denoise: float = DEFAULTS.face_denoise,
        colours: str = Colours.SHOT.value,
        seed: int = 0,
        show_original: bool = False,
        max_side: int = DEFAULTS.max_side,
        tile: int = DEFAULTS.tile,
        overlap: int = DEFAULTS.overlap,
        face_size: int = DEFAULTS.face_size,
        face_padding: float = DEFAULTS.face_padding,
        max_identity_loss: float = 0.03,
        upscale_model: Any = None,
        studio: Studio | None = None,
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        judge = judge or Judge()
        settings = RefineSettings(
            upscale_by,
            max_side,
            detail_denoise,
            tile,
            overlap,
            face_denoise,
            face_size,
            face_padding,
            Colours(colours),
        )
        refine = Refine(
            character,
            settings,
            studio and studio.for_retouching(show_original),
            upscale_model,
            judge.face_model,
            judge.clip_vision,
            seed,
            max_identity_loss,
        )
        progress = progress_bar()
        refined = refine.run(
            ShotStore(character_folder(character, "refined")),
            lambda shot: progress(shot.number, shot.total),
        )
        pictures = [shot.image[None] for shot in refined.shots if shot.include]
        text = report(refined)
        return io.NodeOutput(refined, pictures, text, ui=ui.PreviewText(text))


NODES = [FacetRefineShots]
