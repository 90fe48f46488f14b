"""Recordings as guards read them, and the real promtool that evaluates PromQL over them. No database, no PromQL of our own."""
