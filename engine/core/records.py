"""Dataclasses from plain records, such as JSON gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def known_fields(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """What ``record`` has of the fields of the dataclass ``kind``; other keys are left out."""
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}
