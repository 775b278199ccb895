"""Caption policies: which of the facts about a shot are said, and in which order.

What a caption names stays changeable; what it leaves out binds to the trigger. No policy says
anything that the shot's tags do not hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..character import VOCABULARY, Character, Shot

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PERSON_FIELDS = ("trigger", "class_word", "name", "description", "tags")


class PolicyKind(str, Enum):
    """What a caption says."""

    BIND_TO_TRIGGER = "bind_to_trigger"
    TRIGGER_ONLY = "trigger_only"
    DESCRIBE_IDENTITY = "describe_identity"
    TEMPLATE = "template"


TEMPLATES = {
    PolicyKind.BIND_TO_TRIGGER: "{trigger} {class_word}, {tags}",
    PolicyKind.TRIGGER_ONLY: "{trigger} {class_word}",
    PolicyKind.DESCRIBE_IDENTITY: "{trigger} {class_word}, {description}, {tags}",
}


@dataclass(frozen=True)
class CaptionPolicy:
    """A policy and the texts that two of them need.

    Raises ValueError when the text that ``kind`` needs is missing or names an unknown field.
    """

    kind: PolicyKind = PolicyKind.BIND_TO_TRIGGER
    description: str = ""
    template: str = ""

    def __post_init__(self) -> None:
        if self.kind is PolicyKind.DESCRIBE_IDENTITY and not self.description.strip():
            raise ValueError(
                "The policy describe_identity needs a description, such as "
                "'a 23-year-old woman with red hair'; write one, or choose bind_to_trigger."
            )
        if self.kind is PolicyKind.TEMPLATE:
            self._check_template()

    def _check_template(self) -> None:
        fields = PLACEHOLDER.findall(self.template)
        known = (*PERSON_FIELDS, *VOCABULARY, "details")
        unknown = [field for field in fields if field not in known]
        if unknown:
            raise ValueError(
                f"The template has the unknown field {{{unknown[0]}}}; "
                f"known are {', '.join(f'{{{name}}}' for name in known)}."
            )
        if fields.count("trigger") != 1:
            raise ValueError(
                f"The template {self.template!r} has {{trigger}} {fields.count('trigger')} times; "
                "it has to be there exactly once."
            )

    def caption(self, character: Character, shot: Shot) -> str:
        """The caption of ``shot``, one line, without the parts that are not known."""
        template = TEMPLATES.get(self.kind, self.template)
        values = {
            "trigger": character.trigger,
            "class_word": character.class_word,
            "name": character.name,
            "description": self.description.strip(),
            "tags": ", ".join(shot.tags.phrases()),
            "details": ", ".join(shot.tags.details),
        }
        for axis in VOCABULARY:
            others = (*(name for name in VOCABULARY if name != axis),)
            without_details = shot.tags.phrases(skip=others)
            count = len(without_details) - len(shot.tags.details)
            values[axis] = ", ".join(without_details[:count])
        return tidy(PLACEHOLDER.sub(lambda found: values[found[1]], template))


def tidy(text: str) -> str:
    """``text`` on one line, without the commas and spaces that empty parts leave behind."""
    parts = (" ".join(part.split()) for part in text.split(","))
    return ", ".join(part for part in parts if part)
