"""The prompt texts, one file per kind of evidence and version. A released text is never edited."""
