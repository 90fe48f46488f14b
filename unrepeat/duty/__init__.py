"""Services and teams, and what depends on what: who answers."""
