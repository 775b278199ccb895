"""What went wrong, in a sentence for the person at the keyboard."""

from __future__ import annotations

import errno


class Problem(Exception):
    """Ends the command with its message, one sentence or two, and exit code 1."""


def from_os_error(error: OSError) -> Problem:
    """The sentence for an error of the operating system."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            f"The disk is full{where}. Free some space and run the same command again; "
            "what is done already is kept."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Problem(f"Facet may not write here{where}: {error.strerror}.")
    return Problem(f"{error.strerror or error}{where}.")
