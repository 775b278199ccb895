"""What to shoot: plans, what they want that is not there yet, and a person's own lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.character import Character, Provenance, Tags
from ...core.errors import FacetError
from ...core.vocabulary import VOCABULARY

PREFIX = re.compile(r"(?:^|,)\s*do:\s*", re.IGNORECASE)
"""What stands before an instruction in free words, as a chat editor is given one: "remove the hat".
The rest of the line belongs to it."""

_ORDERS = frozenset(
    "add apply blur brighten bring change clean close colour color convert crop cut darken draw "
    "dress erase extend fix focus give hide hold keep let light look lower make mirror move open "
    "paint place point pull put raise redraw remove render repaint replace restore rotate seat set "
    "shift show smile swap take tilt transform turn undress use wear without zoom".split()
)
"""First words of instructions that say what to do. Others say what is to be seen."""

_TAKEN_AWAY = re.compile(r"\b(remove|without|no|erase|hide|cover|take off|get rid of)\b", re.I)

_DETAIL = re.compile(
    r"\b(?:(?:small|big|large|long|short|thin|old|new|red|black|blue|green|white|gold|golden|silver"
    r"|round|coloured|colorful|dragon|rose|heart|star|tribal|floral)\s+){0,3}"
    r"(?:tattoos?|scars?|birthmarks?|moles?|piercings?|freckles|dimples|beauty spots?)\b"
    r"(?:\s+(?:on|across|above|below|under|over|in|at|behind|near|around)"
    r"(?:\s+(?:the|his|her|their|its|both))?(?:\s+(?:left|right|upper|lower|inner|outer))*"
    r"\s+[a-z]+)?",
    re.I,
)
"""A mark of the body that is named, with its place: it is there in the picture, and in its caption.
"""

_CLOSER = re.compile(r"^(zoom|focus|close[- ]?up|enlarge|macro)\b", re.I)
_FACE = re.compile(r"\b(face|eyes?|head|portrait|smile|mouth|nose|person|her|him|them)$", re.I)


@dataclass(frozen=True)
class ShotRequest:
    """One line of a plan: the tags to reach, and what is to be done in a person's own words."""

    tags: Tags
    instruction: str = ""

    @property
    def label(self) -> str:
        """The line in words, as a person would write it."""
        done = [f"do: {self.instruction}"] if self.instruction else []
        return ", ".join([*self.tags.phrases(), *done])


@dataclass(frozen=True)
class ShotPlan:
    """The shots to make, in order."""

    requests: tuple[ShotRequest, ...]

    def missing_from(self, character: Character) -> ShotPlan:
        """The part of the plan that no accepted picture of ``character`` covers yet."""
        there = self.covered_by([(shot.tags, shot.provenance) for shot in character.dataset])
        pairs = zip(self.requests, there, strict=True)
        return ShotPlan(tuple(request for request, covered in pairs if not covered))

    def covered_by(self, pictures: Sequence[tuple[Tags, Provenance]]) -> list[bool]:
        """Of each request, whether one of ``pictures`` is for it, as many as can be.

        A picture is for one request only, and shows all that it asks for and perhaps more. Those
        that show nothing more come first; the rest is a maximum matching (Kuhn 1955).
        """
        fitting = []
        for request in self.requests:
            found = [at for at, picture in enumerate(pictures) if _shows(*picture, request)]
            fitting.append(sorted(found, key=lambda at: _details(pictures[at][0])))
        taken: dict[int, int] = {}

        def place(number: int, tried: set[int]) -> bool:
            for at in fitting[number]:
                if at not in tried:
                    tried.add(at)
                    if at not in taken or place(taken[at], tried):
                        taken[at] = number
                        return True
            return False

        # The most particular first: what covers them seldom covers anything else.
        order = sorted(range(len(fitting)), key=lambda n: -_details(self.requests[n].tags))
        for number in order:
            place(number, set())
        covered = set(taken.values())
        return [number in covered for number in range(len(fitting))]

    def coverage(self) -> dict[str, Counter[str]]:
        """How often the plan asks for each value of each tag."""
        return {
            axis: Counter(
                getattr(request.tags, axis)
                for request in self.requests
                if getattr(request.tags, axis)
            )
            for axis in VOCABULARY
        }


def _shows(tags: Tags, provenance: Provenance, request: ShotRequest) -> bool:
    """Whether a picture shows everything that ``request`` asks for."""
    asked = request.tags
    if provenance.instruction != request.instruction or (request.instruction and asked != tags):
        return False
    axes = [axis for axis in VOCABULARY if getattr(asked, axis)]
    if not axes and not asked.details:
        return request.instruction != "" or asked == tags
    return all(getattr(tags, axis) == getattr(asked, axis) for axis in axes) and set(
        asked.details
    ) <= set(tags.details)


def _details(tags: Tags) -> int:
    """How much ``tags`` say."""
    return sum(bool(getattr(tags, axis)) for axis in VOCABULARY) + len(tags.details)


def from_lines(text: str) -> ShotPlan:
    """A plan from one line a shot, parts parted by commas.

    A part that ``VOCABULARY`` knows becomes its tag; "wearing …" is the outfit; "in / on / at …" or
    "… background" the background; anything else is kept as a detail, in its own words. After "do:"
    the rest of the line is an instruction: what it names or describes becomes tags as well.
    Empty lines and lines that begin with '#' are left out. Raises FacetError when a line asks for
    the same thing twice.
    """
    requests = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            wishes, instruction = split_instruction(line)
            tags = _parse_line(wishes, number)
            requests.append(ShotRequest(_tagged(tags, instruction), instruction))
    return ShotPlan(tuple(requests))


def _tagged(tags: Tags, instruction: str) -> Tags:
    """``tags`` with what a picture made by ``instruction`` shows, as far as that can be known."""
    named = named_details(instruction)
    if named or not describes(instruction):
        new = [one for one in named if not any(one in known for known in tags.details)]
        return replace(tags, details=(*tags.details, *new))
    axis, value = _understand(instruction)
    if axis == "details":
        return replace(tags, details=(*tags.details, value))
    wish: dict[str, Any] = {axis: value}
    return tags if getattr(tags, axis) else replace(tags, **wish)


def _parse_line(line: str, number: int) -> Tags:
    found: dict[str, str] = {}
    details: list[str] = []
    for part in (part.strip() for part in line.split(",")):
        if not part:
            continue
        axis, value = _understand(part)
        if axis == "details":
            details.append(value)
        elif axis in found:
            raise FacetError(
                f"Line {number} of the plan asks for two {axis}s, {found[axis]!r} and {value!r}; "
                "keep one, or write two lines."
            )
        else:
            found[axis] = value
    return Tags(**found, details=tuple(details))


def _understand(part: str) -> tuple[str, str]:
    plain = re.sub(r"[\s_-]+", " ", part.lower())
    for axis, values in VOCABULARY.items():
        for value, phrase in values.items():
            if plain in (value.replace("_", " "), re.sub(r"[\s_-]+", " ", phrase.lower())):
                return axis, value
    if plain.startswith("wearing "):
        return "outfit", part[len("wearing ") :].strip()
    if plain.endswith(" background") or re.match(r"(in|on|at|inside|outside|under|by) ", plain):
        return "background", part
    return "details", part


def shows_detail(instruction: str) -> bool:
    """Whether ``instruction`` goes so near to a part of the character that no face need show."""
    return bool(_CLOSER.search(instruction)) and not _FACE.search(instruction.rstrip(" ."))


def split_instruction(line: str) -> tuple[str, str]:
    """``line`` of a plan as what stands before ``do:`` and the instruction after it, or ''."""
    found = PREFIX.search(line)
    if found is None:
        return line, ""
    return line[: found.start()], line[found.end() :].strip()


def describes(instruction: str) -> bool:
    """Whether ``instruction`` says what is to be seen ("at night") rather than what to do."""
    words = re.findall(r"[a-z]+", instruction.lower())
    return bool(words) and words[0] not in _ORDERS


def named_details(instruction: str) -> tuple[str, ...]:
    """The marks that ``instruction`` names and leaves in the picture, in its own words."""
    if _TAKEN_AWAY.search(instruction):
        return ()
    return tuple(dict.fromkeys(found[0] for found in _DETAIL.finditer(instruction)))
