"""The ladder: what each way of reading texts is worth on a table, from nothing to a tuned LLM."""
