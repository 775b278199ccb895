"""The colours of everything that Facet draws."""

from __future__ import annotations

PAPER, CARD, INK, QUIET, LINE = "#faf9f6", "#ffffff", "#1d2126", "#616a74", "#e2e0da"
BLUE, PALE_BLUE, ORANGE, GREEN, PINK = "#0b62ad", "#a9c8e4", "#b5520a", "#2e8b57", "#d9a5a0"
VIOLET, GREY = "#7a5aa8", "#b9bfc5"
ON_DARK_BLUE, ON_DARK_ORANGE = "#74b9f5", "#f2a65e"
"""Blue and orange as letters on ``INK``."""

SHEET_PAPER, SHEET_INK, SHEET_QUIET = "#f4f2ee", "#23262b", "#747a83"
SHEET_PASSED, SHEET_FAILED = "#1a7f5a", "#c2410c"
"""Those of the turnaround sheet: a dataset's own picture, which stays the same byte for byte."""
