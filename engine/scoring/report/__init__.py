"""The report of a scoring: one HTML file that needs nothing else, and one image for the graph."""
