"""Training LoRAs."""

from . import options, page, trainer

NODES = [*trainer.NODES, *options.NODES]
add_routes = page.add_routes
