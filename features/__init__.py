"""KNOW: what we can say about a lead. Imports nothing of ours."""
