"""How the pages of ``docs/`` are made: the generated ones, and the runs that the others show."""
