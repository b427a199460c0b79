"""Fine-tuning: the embedded LLM learns from the table's own outcomes, and must earn its place."""
