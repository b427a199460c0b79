"""The embedded LLM as a service of its own, and which LLM is asked."""
