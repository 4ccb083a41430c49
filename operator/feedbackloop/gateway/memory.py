"""Keeping the process small: few arenas for the threads' allocations, and what loading left over given back."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

_M_ARENA_MAX = -8
_ARENAS = 2


def _libc() -> Any:
    """The C library, None where it has none of the calls (they are glibc's)."""
    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def start() -> None:
    """Before the first thread: uploads and the committer would otherwise each keep an arena of their own."""
    if (library := _libc()) is not None:
        library.mallopt(_M_ARENA_MAX, _ARENAS)


def settle() -> None:
    """Once everything is loaded: it stays, so the collector need not look at it again, and the rest is given back."""
    gc.collect()
    gc.freeze()
    if (library := _libc()) is not None:
        library.malloc_trim(0)
