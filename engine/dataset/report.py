"""What an export did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Export:
    """What an export did, file by file, relative to ``folder``.

    edited: captions that a person wrote into the files since the last export, by picture hash.
    """

    folder: Path
    pictures: int = 0
    written: list[str] = field(default_factory=list)
    kept_texts: list[str] = field(default_factory=list)
    edited: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """What happened, in lines to read."""
        made, wrote = _count(self.pictures, "image"), _count(len(self.written), "file")
        lines = [f"{made} in {self.folder}; {wrote} written.", *self.notes]
        if self.kept_texts:
            lines.append("Edited by hand, so left as they are: " + _listed(self.kept_texts))
        if self.removed:
            gone = _count(len(self.removed), "file")
            lines.append(f"Removed, of images no longer there: {gone}.")
        if self.left:
            lines.append("No longer in the dataset, but changed by hand: " + _listed(self.left))
        lines.append("A caption file that you edit is never written over.")
        return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
