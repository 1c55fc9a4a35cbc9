"""What changed between two windows, and why."""
