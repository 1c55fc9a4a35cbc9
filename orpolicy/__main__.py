"""``python -m orpolicy``."""

from orpolicy.cli.main import main

main()
