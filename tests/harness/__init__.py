"""Three ways to run Facet under test: in this process, over HTTP, and in a browser."""
