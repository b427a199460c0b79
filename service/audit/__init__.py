"""Answers an auditor: questions to the ledger, and what each answer rests on."""
