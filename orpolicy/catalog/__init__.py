"""Models: prices, aliases and the sets built from them."""
