"""The worker: reads what has arrived, groups it into incidents, and does what has fallen due."""
