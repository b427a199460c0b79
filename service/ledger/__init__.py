"""The ledger: an append-only log that proves itself. It knows bytes only."""
