"""The tables of the ledger's database. What is in them is in `ledger/README.md`.

Only `entries`, `subtrees`, `log_head` and `checkpoints` are the ledger. The tables below "Read off
the entries" are made from entries in the same transaction, so that questions are answered in a
second; nothing is in them that is not in an entry, and `projection.py` makes them anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()
Row = dict[str, Any]

# SQLite's only 64-bit key that needs no second index is its INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")
# Times are ISO 8601 in UTC with milliseconds: they sort as text, and read the same anywhere.
Time = String(24)
Uuid = String(36)

# -- the ledger ---------------------------------------------------------------------------------

entries = Table(
    "entries",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),  # place in the log, from 0
    Column("at", Time, nullable=False, index=True),  # never earlier than the entry before
    Column("kind", String(16), nullable=False),
    Column("about", Uuid, index=True),  # the decision, or question to an LLM, that it belongs to
    Column("leaf", LargeBinary, nullable=False),  # RFC 6962 leaf hash of `body`, 32 bytes
    Column("body", LargeBinary, nullable=False),  # canonical JSON, RFC 8785
    Index("entries_by_kind", "kind", "seq"),
)
subtrees = Table(
    "subtrees",  # hashes of complete subtrees of 256, 65,536... entries: a proof reads a few rows
    metadata,
    Column("level", Integer, primary_key=True),
    Column("place", Number, primary_key=True),  # the subtree's place among those of its level
    Column("hash", LargeBinary, nullable=False),
)
log_head = Table(
    "log_head",  # one row: writers take turns at it, in every worker and replica
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", Number, nullable=False),
    Column("at", Time, nullable=False),  # of the last entry
    Column("frontier", LargeBinary, nullable=False),  # hashes of the perfect subtrees of `size`
    Column("note", Text, nullable=False),  # the signed checkpoint of `size`
)
checkpoints = Table(
    "checkpoints",  # those that a witness has cosigned
    metadata,
    Column("size", Number, primary_key=True, autoincrement=False),
    Column("at", Time, nullable=False),
    Column("note", Text, nullable=False),
)

# -- read off the entries -----------------------------------------------------------------------

decisions = Table(
    "decisions",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False, unique=True),
    Column("at", Time, nullable=False),
    Column("key_id", String(16), nullable=False),  # API key that asked
    Column("subject", String(32), nullable=False, index=True),
    Column("release", String(64), nullable=False),
    Column("route", String(16), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("policy", String(64)),  # of redaction; null where no text was to leave
    Column("probability", Float(53), nullable=False),
    Column("classifier_probability", Float(53), nullable=False),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cost_usd", Float(53)),
    Column("latency_ms", Float(53), nullable=False),
    # What counts and trends are made of, in one index: a million rows are read in it in no time.
    Index("decisions_counted", "at", "release", "route", "reason", "policy", "key_id"),
)
redactions = Table(
    "redactions",  # one row for each text that was to leave, also where redaction failed
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("about", Uuid, nullable=False, index=True),
    Column("at", Time, nullable=False, index=True),
    Column("purpose", String(16), nullable=False),  # decision or training
    Column("failed", Boolean, nullable=False),
    Column("policy", String(64)),
    Column("subject", String(32), nullable=False, index=True),
)
redacted_spans = Table(
    "redacted_spans",  # how many spans of a type one recognizer took out of one text
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("entity_type", String(64), primary_key=True),
    Column("recognizer", String(64), primary_key=True),
    Column("at", Time, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("subject", String(32), nullable=False),
    Column("spans", Integer, nullable=False),
    Index("redacted_spans_counted", "entity_type", "recognizer", "at", "policy", "spans"),
)
llm_calls = Table(
    "llm_calls",  # one row for each request that left for an LLM
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("about", Uuid, nullable=False, index=True),
    Column("at", Time, nullable=False),
    Column("call_id", Uuid, nullable=False, unique=True),  # ours, sent along
    Column("request_id", String(100), index=True),  # the provider's
    Column("provider", String(255), nullable=False),
    Column("model", String(255), nullable=False),
    Column("cause", String(32)),  # null where the answer was good
    Index("llm_calls_counted", "at", "provider", "model", "cause"),
)
outcomes = Table(
    "outcomes",  # the latest of a decision counts
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("decision_id", Uuid, nullable=False),
    Column("won", Boolean, nullable=False),
    Column("at", Time, nullable=False),
    Column("key_id", String(16), nullable=False),
    Index("outcomes_by_decision", "decision_id", "seq"),
)
overrides = Table(
    "overrides",  # where a person decided otherwise; the latest of a decision counts
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("decision_id", Uuid, nullable=False, index=True),
    Column("at", Time, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("pursue", Boolean, nullable=False),
    Column("because", String(24), nullable=False),
)
erasures = Table(
    "erasures",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("at", Time, nullable=False),
    Column("subject", String(32), nullable=False, index=True),
    Column("because", String(24), nullable=False),
)

# -- beside the ledger --------------------------------------------------------------------------

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the secret, hex
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
)
answered = Table(
    "answered",  # idempotency: what a key was answered, for a day
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("idempotency_key", String(255), primary_key=True),  # its SHA-256, hex
    Column("request_digest", String(64), nullable=False),  # SHA-256 of path and body, hex
    Column("answer", LargeBinary, nullable=False),  # sealed: opens with the idempotency key only
    Column("at", String(32), nullable=False, index=True),
)

# A database of its own: a backup of the ledger holds no key, so what is erased is noise there too.
keys_metadata = MetaData()
subject_keys = Table(
    "subject_keys",  # deleting a row makes all that was sealed and marked under it noise
    keys_metadata,
    Column("subject", String(32), primary_key=True),  # random: it says nothing of anybody
    Column("tag", String(64), index=True),  # HMAC of who it is; null for a lead without contacts
    Column("key", LargeBinary, nullable=False),  # 32 random bytes
    Column("created_at", Time, nullable=False, index=True),
)
subject_secret = Table(
    "subject_secret",  # one row: under any other secret nobody would be found, nor erased
    keys_metadata,
    Column("mark", String(64), primary_key=True),  # HMAC of a constant under it
)
