"""The session-management service of the shop: carts and visitors, kept in memory, saved to disk."""
