"""How long orpolicy takes and how much memory it needs, as ratios to a floor of the same run."""
