"""DECIDE: from a lead to a decision. Code only (artefacts are in MLflow); knows no web."""
