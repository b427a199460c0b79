"""Two databases: the ledger's, and that of the subjects' keys."""
