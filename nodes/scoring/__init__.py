"""Measuring LoRAs, and using them."""

from . import character_shot, lora_grid, page, scorer

NODES = [*scorer.NODES, *lora_grid.NODES, *character_shot.NODES]
add_routes = page.add_routes
