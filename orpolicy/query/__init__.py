"""From what rules need to as few queries as can be."""
