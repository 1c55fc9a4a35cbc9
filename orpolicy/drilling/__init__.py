"""The dearest single requests behind a finding."""
