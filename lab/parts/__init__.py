"""One file a real part of the lab: how it is configured, started, and known to be ready."""
