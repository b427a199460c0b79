"""Benches of the ledger. What each file is for is in its README."""
