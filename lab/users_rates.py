"""How many visitors come, and how much each asks of the session service. Apart from `users`, which only Locust may load."""

PER_SECOND = 4.0

VISITS_A_USER = 6 + 1 + 0.5 * 3
"""Tracked calls a user makes: six pages, the cart, and for half of them begin, reserve and commit."""
