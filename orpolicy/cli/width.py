"""How wide lines of text are to be."""

from __future__ import annotations

import shutil

_USUAL, _NARROWEST, _WIDEST = 92, 60, 110


def page_width() -> int:
    """The terminal's columns, within what is good to read."""
    return min(max(shutil.get_terminal_size((_USUAL, 24)).columns, _NARROWEST), _WIDEST)
