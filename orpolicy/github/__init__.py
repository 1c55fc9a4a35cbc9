"""Telling people on GitHub: a comment on a pull request that stays one, and an issue for each owner."""
