"""SERVE: who may ask, how we answer, what we remember."""
