"""Where a character begins, and how its shots meet the nodes of core and of other packs."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from ...engine.core.character import LONGEST_CAPTION, Character, Provenance, Shot, Tags
from ...engine.core.errors import FacetError
from ...engine.core.vocabulary import VOCABULARY
from ...engine.store.home import home_of
from ...engine.vision.colours import to_rgb
from ...engine.vision.subject_mask import subject_mask
from ..common import sockets
from ..common.folders import characters_folder
from ..common.inputs import picture
from ..common.node import Node

INVERTED = (
    "The mask is 1 around the character, as Load Image's is for a cut-out image; it was inverted."
)


class FacetCharacter(Node):
    """Begins a character from one picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetCharacter",
            display_name="Facet Character",
            category="Facet/Character",
            description="Starts a character from one image: sharp, nearly frontal, one person.",
            search_aliases=["consistent character", "character", "trigger word", "reference"],
            inputs=[
                io.Image.Input("image", tooltip="One image of the character."),
                io.String.Input(
                    "name",
                    default="My character",
                    tooltip="The character's name; its files go to output/facet/<name>.",
                ),
                io.String.Input(
                    "trigger",
                    default="zqx",
                    tooltip="A made-up word that will call the character in prompts.",
                ),
                io.String.Input(
                    "class_word",
                    default="person",
                    tooltip="What the character is, in one word: person, woman, man, robot, cat.",
                ),
                io.Mask.Input(
                    "mask", optional=True, tooltip="1 on the character, 0 on the background."
                ),
                io.Combo.Input(
                    "view",
                    options=list(VOCABULARY["view"]),
                    default="front",
                    optional=True,
                    advanced=True,
                    tooltip="The side from which the image shows the character.",
                ),
                io.Combo.Input(
                    "framing",
                    options=list(VOCABULARY["framing"]),
                    default="medium",
                    optional=True,
                    advanced=True,
                    tooltip="How much of the character the image shows.",
                ),
                io.String.Input(
                    "outfit",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="What is worn in the image, such as 'red t-shirt and blue trousers'. "
                    "What is named stays changeable; what is not becomes part of the character.",
                ),
                io.String.Input(
                    "background",
                    default="",
                    optional=True,
                    advanced=True,
                    tooltip="What is behind the character in the image, such as 'in a park' or "
                    "'plain blue background'.",
                ),
            ],
            outputs=[sockets.Character.Output("character", tooltip="The character.")],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        name: str,
        trigger: str,
        class_word: str,
        mask: torch.Tensor | None = None,
        view: str = "front",
        framing: str = "medium",
        outfit: str = "",
        background: str = "",
    ) -> io.NodeOutput:
        rgb = picture(image, "Facet Character")
        given = None if mask is None else mask.reshape(-1, *mask.shape[-2:])[0]
        own_mask, inverted = subject_mask(given, rgb)
        source = Shot(
            image=rgb,
            mask=own_mask,
            tags=Tags(framing, view, outfit=outfit.strip(), background=background.strip()),
            provenance=Provenance("original"),
        )
        character = Character(name.strip(), trigger, class_word, source)
        note = home_of(characters_folder(), character, claim=False).note
        told = "\n".join(filter(None, (note, INVERTED if inverted else "")))
        return io.NodeOutput(character, ui=ui.PreviewText(told) if told else None)


class FacetShotsToImages(Node):
    """Takes a character's pictures out for any other node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetShotsToImages",
            display_name="Facet Shots to Images",
            category="Facet/Character",
            description="The character's images, captions and masks as plain lists, for "
            "ComfyUI's own nodes and those of other packs.",
            search_aliases=["character to image", "unpack character", "dataset images"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                io.Boolean.Input(
                    "include_original",
                    default=True,
                    tooltip="Puts the original first.",
                ),
                io.Boolean.Input(
                    "only_included",
                    default=True,
                    tooltip="Leaves out the shots that are not part of the dataset.",
                ),
            ],
            outputs=[
                io.Image.Output("images", is_output_list=True, tooltip="The images, one by one."),
                io.String.Output("captions", is_output_list=True, tooltip="Their captions."),
                io.Mask.Output(
                    "masks", is_output_list=True, tooltip="Their masks; all 1 where there is none."
                ),
            ],
        )

    @classmethod
    def execute(
        cls, character: Character, include_original: bool, only_included: bool
    ) -> io.NodeOutput:
        shots = character.pictures if include_original else character.shots
        shots = tuple(shot for shot in shots if shot.include or not only_included)
        if not shots:
            raise FacetError(
                f"Facet Shots to Images: {character.name} has no shot to give. "
                "Make some first, or switch include_original on."
            )
        masks = [torch.ones(shot.size) if shot.mask is None else shot.mask for shot in shots]
        return io.NodeOutput(
            [shot.image[None] for shot in shots],
            [shot.caption for shot in shots],
            [mask[None] for mask in masks],
        )


class FacetImagesToShots(Node):
    """Puts pictures made elsewhere into a character."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetImagesToShots",
            display_name="Facet Images to Shots",
            category="Facet/Character",
            description="Adds images that you have, or that other nodes made, to the character.",
            search_aliases=["image to character", "add images", "import shots"],
            is_input_list=True,
            inputs=[
                sockets.Character.Input("character", tooltip="The character to add to."),
                io.Image.Input("images", tooltip="Images of this character: a list or a batch."),
                io.String.Input(
                    "captions",
                    optional=True,
                    force_input=True,
                    tooltip="A caption for each image, in the same order.",
                ),
                io.Mask.Input(
                    "masks",
                    optional=True,
                    tooltip="A mask for each image, in the same order: 1 on the character.",
                ),
            ],
            outputs=[
                sockets.Character.Output(
                    "character", tooltip="The character with the images added as shots."
                )
            ],
        )

    @classmethod
    def execute(
        cls,
        character: list[Character],
        images: list[torch.Tensor],
        captions: list[str] | None = None,
        masks: list[torch.Tensor] | None = None,
    ) -> io.NodeOutput:
        pictures = [to_rgb(image) for batch in images for image in batch]
        given_masks = [
            mask for batch in masks or [] for mask in batch.reshape(-1, *batch.shape[-2:])
        ]
        for kind, given in (("captions", captions or []), ("masks", given_masks)):
            if given and len(given) != len(pictures):
                raise FacetError(
                    f"Facet Images to Shots: {len(pictures)} images came with {len(given)} "
                    f"{kind}; give one for each, or none."
                )
        for number, text in enumerate(captions or [], start=1):
            if len(text) > LONGEST_CAPTION:
                raise FacetError(
                    f"Facet Images to Shots: caption {number} has {len(text)} letters, more than "
                    f"any text encoder reads; shorten it to {LONGEST_CAPTION}."
                )
        texts = captions or [""] * len(pictures)
        masked = [
            subject_mask(mask, image)
            for mask, image in zip(given_masks or [None] * len(pictures), pictures, strict=True)
        ]
        shots = [
            Shot(image, Provenance("imported"), mask=mask, caption=text)
            for image, (mask, _), text in zip(pictures, masked, texts, strict=True)
        ]
        inverted = any(one for _, one in masked)
        return io.NodeOutput(
            character[0].adding(shots), ui=ui.PreviewText(INVERTED) if inverted else None
        )


NODES = [FacetCharacter, FacetShotsToImages, FacetImagesToShots]
