"""The report of a scoring: one HTML file that needs nothing else, and one picture for the graph."""
