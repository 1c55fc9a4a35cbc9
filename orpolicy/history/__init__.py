"""What runs came to, one line each, in a file that git merges."""
