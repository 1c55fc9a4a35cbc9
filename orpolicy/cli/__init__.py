"""One file per command: flags, a call, output, exit."""
