"""A small server that answers as OpenRouter's management and analytics API does, quirks included."""
