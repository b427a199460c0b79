"""Migrations of the ledger database."""
