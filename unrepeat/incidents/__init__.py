"""The heart: each incident is an append-only log of entries; its state is what folding the log gives."""
