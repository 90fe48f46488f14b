"""All that the world tells us: each delivery is stored durably, then read as alerts or changes."""
