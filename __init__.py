"""Facet: one picture of a character in; a character LoRA out, with proof that it is the same."""

from comfy_api.latest import ComfyExtension, io

from .nodes import captions, character, dataset, demo, expression, scoring, shots, studio, training

WEB_DIRECTORY = "./js"


class FacetExtension(ComfyExtension):
    """The nodes of the pack, in menu order, and the routes of their panels."""

    async def on_load(self) -> None:
        from server import PromptServer

        for area in (shots, expression, dataset, training, scoring):
            area.add_routes(PromptServer.instance.routes)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        areas = (character, studio, shots, expression, captions, dataset, training, scoring, demo)
        return [node for area in areas for node in area.NODES]


async def comfy_entrypoint() -> FacetExtension:
    """What ComfyUI calls to load the pack."""
    return FacetExtension()
