"""Facet: one picture of a character in; a character LoRA out, with proof that it is the same."""

from comfy_api.latest import ComfyExtension, io

from .nodes import (
    captions,
    character,
    character_shot,
    curator,
    curator_page,
    dataset,
    demo,
    embedders,
    expression,
    expression_page,
    identity,
    identity_page,
    library,
    lora_grid,
    pose_outfit,
    refine,
    shot_options,
    shot_plan,
    shots,
    shots_page,
    training,
    training_options,
    training_page,
    two_characters,
)

WEB_DIRECTORY = "./js"


class FacetExtension(ComfyExtension):
    """The nodes of the pack, in menu order."""

    async def on_load(self) -> None:
        from server import PromptServer

        shots_page.add_routes(PromptServer.instance.routes)
        expression_page.add_routes(PromptServer.instance.routes)
        curator_page.add_routes(PromptServer.instance.routes)
        training_page.add_routes(PromptServer.instance.routes)
        identity_page.add_routes(PromptServer.instance.routes)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            *character.NODES,
            *shot_plan.NODES,
            *shots.NODES,
            *pose_outfit.NODES,
            *two_characters.NODES,
            *shot_options.NODES,
            *refine.NODES,
            *expression.NODES,
            *captions.NODES,
            *curator.NODES,
            *dataset.NODES,
            *library.NODES,
            *training.NODES,
            *training_options.NODES,
            *identity.NODES,
            *lora_grid.NODES,
            *embedders.NODES,
            *character_shot.NODES,
            *demo.NODES,
        ]


async def comfy_entrypoint() -> FacetExtension:
    return FacetExtension()
