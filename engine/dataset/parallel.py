"""What many files need done, a few at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

MOST_THREADS = 8
"""A photograph of 24 megapixels takes some 50 MB while it is decoded."""

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What ``work`` gives for each of ``items``, in their order.

    Pillow decodes without Python's lock. No more is begun than is soon asked for, so that memory
    holds a few files at a time, and an interrupt waits for those alone.
    """
    threads = min(MOST_THREADS, os.cpu_count() or 1)
    begun: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
