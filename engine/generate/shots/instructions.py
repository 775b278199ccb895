"""Instructions in free words, as one gives them to a chat editor: "remove the hat", "at night"."""

from __future__ import annotations

import re

PREFIX = re.compile(r"(?:^|,)\s*do:\s*", re.IGNORECASE)
"""What stands before an instruction; the rest of the line belongs to it."""

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
