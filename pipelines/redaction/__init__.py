"""How well redaction works, and the training of its name recogniser."""
