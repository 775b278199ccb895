"""A node's sentence names the node; a bug keeps its own words."""

from __future__ import annotations

import pytest

from facet.engine.core.errors import FacetError
from facet.nodes.character.character import FacetCharacter
from facet.nodes.common.errors import errors_from


def test_the_users_error_begins_with_the_nodes_name() -> None:
    given = pytest.raises(FacetError, match=r"^Facet Character: give one image\.$")
    with given, errors_from(FacetCharacter):
        raise FacetError("give one image.")


def test_a_part_of_a_node_speaks_with_the_name_that_the_user_placed() -> None:
    given = pytest.raises(FacetError, match=r"^Facet LoRA Grid: there is no prompt\.$")
    with given, errors_from("Facet LoRA Grid"):
        raise FacetError("there is no prompt.")


def test_a_bug_is_not_dressed_up_as_the_users_mistake() -> None:
    with pytest.raises(ValueError, match=r"^invalid literal"), errors_from(FacetCharacter):
        int("x")
