"""Whether what a report found is fixed by now, and what that was worth."""
