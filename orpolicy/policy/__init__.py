"""From YAML text to validated policies."""
