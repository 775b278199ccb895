"""The Expression Editor."""

from . import editor, page

NODES = [*editor.NODES]
add_routes = page.add_routes
