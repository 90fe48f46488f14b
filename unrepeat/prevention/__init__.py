"""Measures, guards, proofs, repeats. Its furniture comes with a later issue."""
