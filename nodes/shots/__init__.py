"""Planning and making a character's shots."""

from . import generator, page, plan, pose_outfit, refine, two_characters

NODES = [*plan.NODES, *generator.NODES, *pose_outfit.NODES, *two_characters.NODES, *refine.NODES]
add_routes = page.add_routes
