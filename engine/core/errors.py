"""The one error that is a sentence to the user."""

from __future__ import annotations


class FacetError(ValueError):
    """What was given cannot be used; says what was given, what is needed and what to do.

    Any other error is a bug, here or in a library, and is shown as the one it is.
    """

    node: str = ""
    """The node that the sentence names already, as the user sees it."""
