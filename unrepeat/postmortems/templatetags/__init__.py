"""Template words of the postmortems room."""
