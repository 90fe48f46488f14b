"""Measures, guards, proofs, repeats: what keeps a failure from coming back."""
