"""Curating, exporting, loading and keeping datasets."""

from . import curator, curator_page, files, library

NODES = [*curator.NODES, *files.NODES, *library.NODES]
add_routes = curator_page.add_routes
