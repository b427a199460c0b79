"""Benchmarks of the LLM as it is served."""
