"""Benchmarks, one file each: `python -m bench NAME`."""
