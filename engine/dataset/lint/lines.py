"""Findings in lines to read: those alike together, with the names of their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .finding import Finding, Report

MOST_NAMES = 6
MOST_LINES = 8


def report_lines(report: Report, names: Mapping[str, str]) -> list[str]:
    """``report`` in lines; ``names``: what each picture is called, by its hash."""
    return [report.headline, *finding_lines(report.findings, names), *report.skipped]


def finding_lines(findings: Sequence[Finding], names: Mapping[str, str]) -> list[str]:
    """What ``findings`` say and do, one paragraph for those of a kind with the same effect."""
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.kind, finding.effect, finding.remedy), []).append(finding)
    lines = []
    for (_, effect, remedy), group in alike.items():
        lines += _paragraph(group, effect, names)
        if remedy:
            lines.append(f"  {remedy}")
    return lines


def _paragraph(group: Sequence[Finding], effect: str, names: Mapping[str, str]) -> list[str]:
    said = list(dict.fromkeys(finding.says for finding in group))
    if len(said) == 1:
        where = [_where(finding, names) for finding in group if finding.shots]
        count = f"{len(where)} of them: " if len(where) > 1 else ""
        listed = (
            [f"    {count}{_some(where, '; ' if ' and ' in where[0] else ', ')}"] if where else []
        )
        return [_joined(f"! {said[0]}", effect), *listed]
    first = _joined("!", effect) if effect else "! Several findings:"
    each = [
        _joined(f"    {_where(finding, names)}:" if finding.shots else "   ", finding.says)
        for finding in group[:MOST_LINES]
    ]
    more = len(group) - len(each)
    return [first, *each, *([f"    and {more} more"] if more else [])]


def _where(finding: Finding, names: Mapping[str, str]) -> str:
    called = [names.get(shot, shot[:16]) for shot in finding.shots]
    return " and ".join(called) if len(called) == 2 else _some(called, ", ")


def _some(texts: Sequence[str], join: str) -> str:
    more = len(texts) - MOST_NAMES
    return join.join(texts[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
