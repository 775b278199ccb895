"""The report as one HTML file that needs nothing else: no network, no script, pictures inside."""

from __future__ import annotations

from html import escape
from pathlib import Path

from ...core.character import Character
from ..evaluate import Evaluation
from .evidence import nearest, worst
from .likeness import charts
from .maps import maps, pareto
from .material import Material
from .numbers import numbers
from .rules import rules, settings
from .sheet import attributes, leaks, sheet, trigger_alone
from .summary import summary

STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Nothing in a report runs or is fetched, wherever it is opened."""
SECTIONS = (
    summary, numbers, maps, pareto, sheet, charts, worst, nearest, trigger_alone, attributes,
    leaks, rules, settings,
)  # fmt: skip


def report_page(character: Character, evaluation: Evaluation) -> str:
    """The HTML of the report, the verdict first and the settings last."""
    of = Material(character, evaluation)
    body = "\n".join(filter(None, (part(of) for part in SECTIONS)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(character.name)}: identity report</title>\n"
        f"<style>\n{STYLE.read_text('utf-8')}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
