"""The prompt texts, one file per version. A released text is never edited."""
