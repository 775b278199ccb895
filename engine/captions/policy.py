"""Caption policies: which of the facts about a shot are said, in which form and language.

What a caption names stays changeable; what it leaves out binds to the trigger. No policy says
anything that the shot's tags do not hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from ..core.character import Character, Shot
from ..core.errors import FacetError
from ..core.letters import has_word, word_pattern
from ..core.vocabulary import VOCABULARY
from ..core.words import ENGLISH, tidy
from ..families.family import Form
from .words import Language, as_tags, language

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PERSON_FIELDS = ("trigger", "class_word", "name", "description", "tags")
# Stand for the triggers until every other text has lost them: of Unicode's private use.
MARKS = 0xE000


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
    """A policy, the texts that two of them need, and the form and language of its captions.

    Raises FacetError when the text that ``kind`` needs is missing or names an unknown field, or
    the language cannot be used.
    """

    kind: PolicyKind = PolicyKind.BIND_TO_TRIGGER
    description: str = ""
    template: str = ""
    form: Form = Form.PHRASES
    language: str = ENGLISH

    def __post_init__(self) -> None:
        if self.kind is PolicyKind.DESCRIBE_IDENTITY and not self.description.strip():
            raise FacetError(
                "The policy describe_identity needs a description, such as "
                "'a 23-year-old woman with red hair'; write one, or choose bind_to_trigger."
            )
        if self.kind is PolicyKind.TEMPLATE:
            self._check_template()
        language(self.language)

    def _check_template(self) -> None:
        fields = PLACEHOLDER.findall(self.template)
        known = (*PERSON_FIELDS, *VOCABULARY, "details")
        unknown = [field for field in fields if field not in known]
        if unknown:
            raise FacetError(
                f"The template has the unknown field {{{unknown[0]}}}; "
                f"known are {', '.join(f'{{{name}}}' for name in known)}."
            )
        if fields.count("trigger") != 1:
            raise FacetError(
                f"The template {self.template!r} has {{trigger}} {fields.count('trigger')} times; "
                "it has to be there exactly once."
            )

    @cached_property
    def words(self) -> Language:
        return language(self.language)

    @property
    def binds(self) -> bool:
        """Whether who it is is left to the trigger, so that no caption may say it."""
        return self.kind is not PolicyKind.DESCRIBE_IDENTITY

    def axes(self) -> set[str]:
        """The axes of the tags, and "details", that a caption of this policy can say."""
        every = {*VOCABULARY, "details"}
        fields = set(PLACEHOLDER.findall(TEMPLATES.get(self.kind, self.template)))
        return every if "tags" in fields else every & fields

    def caption(self, character: Character, shot: Shot) -> str:
        """The caption of ``shot``, one line, without the parts that are not known.

        Each trigger that belongs in it is there once, whatever the other texts say.
        """
        calls = [call.split(" ", 1) for call in called(character, shot)]
        marked = [f"{chr(MARKS + at)} {call[-1]}" for at, call in enumerate(calls)]
        whole = self.form is Form.SENTENCES and self.kind is not PolicyKind.TEMPLATE
        join = self.words.join if whole else ", "
        text = self._composed(character, shot, self._both(marked), join)
        for trigger in {character.trigger, *(call[0] for call in calls)}:
            text = word_pattern(trigger).sub("", text)
        text = tidy(text, join)
        for at, call in enumerate(calls):
            text = text.replace(chr(MARKS + at), call[0])
        return text + self.words.end if whole else text

    def _both(self, marked: list[str]) -> str:
        """All who are in the picture, the first first."""
        subject = marked[0]
        for other in marked[1:]:
            both = "{first}, {second}" if self.form is Form.TAGS else self.words.both
            subject = both.replace("{first}", subject).replace("{second}", other)
        return subject

    def _composed(self, character: Character, shot: Shot, subject: str, join: str) -> str:
        """The text with the places filled; ``subject`` begins with the mark of the trigger."""
        template = TEMPLATES.get(self.kind, self.template)
        said = self._said(shot)
        details = [self.words.said("details", detail) for detail in shot.tags.details]
        if self.kind is not PolicyKind.TEMPLATE and self.form is Form.SENTENCES:
            template = template.replace(", ", join)
            start = "{subject}"
            if shot.tags.framing in self.words.starts and "{tags}" in template:
                start = self.words.starts[shot.tags.framing]
                del said["framing"]
            template = template.replace("{trigger} {class_word}", start)
        elif self.form is Form.TAGS:
            template = template.replace("{trigger} {class_word}", "{trigger}, {class_word}")
        values = {
            **dict.fromkeys(VOCABULARY, ""),
            **said,
            "subject": subject,
            "trigger": subject[0],
            "class_word": subject[2:],
            "name": character.name,
            "description": self.description.strip(),
            "tags": join.join([*said.values(), *details]),
            "details": join.join(details),
        }
        return PLACEHOLDER.sub(lambda found: values[found[1]], template)

    def _said(self, shot: Shot) -> dict[str, str]:
        """The axes that are known, in caption order, in words."""
        axes = {axis: getattr(shot.tags, axis) for axis in shot.tags.said_axes()}
        if self.form is Form.TAGS:
            return {axis: as_tags(axis, value) for axis, value in axes.items()}
        return {axis: self.words.said(axis, value, self.form) for axis, value in axes.items()}


def called(character: Character, shot: Shot) -> list[str]:
    """How those in ``shot`` are called, trigger and class word, as its caption says so far.

    A picture of a companion alone keeps the companion's trigger; a bare one is the character's.
    """
    calls = (character.phrase, *character.companions)
    there = [call for call in calls if has_word(shot.caption, call.split()[0])]
    return there or [calls[0]]
