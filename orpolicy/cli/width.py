"""How wide lines of text are to be."""

from __future__ import annotations

import os
import sys

_USUAL, _NARROWEST, _WIDEST = 92, 60, 110


def page_width() -> int:
    """The terminal's columns, within what is good to read."""
    return min(max(terminal_columns(_USUAL), _NARROWEST), _WIDEST)


def terminal_columns(usual: int) -> int:
    """What ``shutil.get_terminal_size`` says, whose module takes a hundredth of a run to import.

    Args:
        usual: the columns where there is neither ``COLUMNS`` nor a terminal.
    """
    return _told_columns() or _own_columns() or usual


def _told_columns() -> int:
    """The variable ``COLUMNS``; 0 where it is no width."""
    try:
        return max(int(os.environ.get("COLUMNS", "")), 0)
    except ValueError:
        return 0


def _own_columns() -> int:
    """Those of the terminal that standard output is; 0 where it is none."""
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
    except (ValueError, OSError):
        return 0
