"""How much memory writing tensors takes; for `inside.call`, as a process's peak never falls."""

from __future__ import annotations

import resource
from pathlib import Path


def main(path: str) -> float:
    """The peak above the tensors themselves, as a multiple of their size."""
    import torch

    from facet.engine.store.tensors import kohya_hashes, write_tensors

    def most() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    tensors = {str(number): torch.ones(2_500_000) for number in range(24)}
    size = sum(tensor.nbytes for tensor in tensors.values())
    small = {"a": tensors["0"][:9]}
    write_tensors(Path(path), small, {})
    kohya_hashes(small, {})
    before = most()
    for _ in range(2):  # the second finds the file as it is to be
        write_tensors(Path(path), tensors, {})
    kohya_hashes(tensors, {"ss_a": "b"})
    return (most() - before) / size
