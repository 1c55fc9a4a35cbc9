"""Unit tests of policies: from their YAML to what came of each."""
