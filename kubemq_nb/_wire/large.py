"""Messages so large that it counts what they leave behind in memory."""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

LARGE = 8 * 2**20  # bytes


def give_back(size: int) -> None:
    """Give memory that is free back to the system where a message of `size` bytes has come.

    gRPC receives it in thousands of small pieces, and frees them before it is handed over. The C library
    would keep them, up to two times its size for each thread that receives.
    """
    if size >= LARGE and (trim := _trim()):
        trim(0)


@cache
def _trim() -> Callable[[int], Any] | None:
    """What does so, or None where the C library gives memory back by itself."""
    try:
        trim: Callable[[int], Any] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim
