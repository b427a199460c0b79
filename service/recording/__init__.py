"""Everything that happens becomes an entry of the ledger."""
