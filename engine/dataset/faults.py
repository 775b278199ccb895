"""What was wrong with files, so that five thousand of one kind are still a report to read."""

from __future__ import annotations

SHOWN = 10
LINES = 200


class Faults:
    """What was wrong, with which file, in the order it was found."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, name: str, reason: str) -> None:
        """``name`` is a file, or empty when ``reason`` says all."""
        self._found.setdefault(" ".join(reason.split()), []).append(" ".join(name.split()))

    @property
    def lines(self) -> list[str]:
        """One line each; of one kind no more than the first few, and how many there are."""
        said = []
        for reason, names in self._found.items():
            said += [f"{name}: {reason}" if name else reason for name in names[:SHOWN]]
            if len(names) > SHOWN:
                said.append(f"and {len(names) - SHOWN} more: {reason}")
        left = len(said) - LINES
        return [*said[:LINES], f"and {left} more"] if left > 0 else said
