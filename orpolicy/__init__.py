"""The linter for LLM spend."""
