"""One file a channel, found by scan."""
