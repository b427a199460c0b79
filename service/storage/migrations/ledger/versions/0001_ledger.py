"""The ledger, what is read off it, API keys and idempotency."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A database from before the ledger has no version. What it holds is kept under another name: it
# was never in a log that proves itself, and is not passed off as such.
BEFORE = ("decisions", "redactions", "outcomes", "subject_keys")


def _put_aside() -> None:
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table("api_keys"):
        return
    for name in BEFORE:
        if inspector.has_table(name):
            for index in inspector.get_indexes(name):
                if index["name"]:
                    op.drop_index(index["name"], table_name=name)
            op.rename_table(name, f"{name}_before_ledger")
    op.drop_table("answered")  # a day's answers, not sealed yet


def upgrade() -> None:
    """Make the tables; what is there from before the ledger is put aside."""
    _put_aside()
    if not sa.inspect(op.get_bind()).has_table("api_keys"):
        op.create_table(
            "api_keys",
            sa.Column("id", sa.String(length=16), nullable=False),
            sa.Column("name", sa.String(length=200), nullable=False),
            sa.Column("role", sa.String(length=16), nullable=False),
            sa.Column("digest", sa.String(length=64), nullable=False),
            sa.Column("created_at", sa.String(length=32), nullable=False),
            sa.Column("revoked_at", sa.String(length=32), nullable=True),
            sa.PrimaryKeyConstraint("id"),
        )
    op.create_table(
        "answered",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key"),
    )
    op.create_index("ix_answered_at", "answered", ["at"])
    op.create_table(
        "checkpoints",
        sa.Column("size", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "decisions",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=True),
        sa.Column("probability", sa.Float(precision=53), nullable=False),
        sa.Column("classifier_probability", sa.Float(precision=53), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("cost_usd", sa.Float(precision=53), nullable=True),
        sa.Column("latency_ms", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "decisions_counted", "decisions", ["at", "release", "route", "reason", "policy", "key_id"]
    )
    op.create_index("ix_decisions_subject", "decisions", ["subject"])
    op.create_table(
        "entries",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=36), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("entries_by_kind", "entries", ["kind", "seq"])
    op.create_index("ix_entries_about", "entries", ["about"])
    op.create_index("ix_entries_at", "entries", ["at"])
    op.create_table(
        "llm_calls",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("about", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("call_id", sa.String(length=36), nullable=False),
        sa.Column("request_id", sa.String(length=100), nullable=True),
        sa.Column("provider", sa.String(length=255), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("call_id"),
    )
    op.create_index("ix_llm_calls_about", "llm_calls", ["about"])
    op.create_index("ix_llm_calls_request_id", "llm_calls", ["request_id"])
    op.create_index("llm_calls_counted", "llm_calls", ["at", "provider", "model", "cause"])
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outcomes",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("outcomes_by_decision", "outcomes", ["decision_id", "seq"])
    op.create_table(
        "overrides",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("pursue", sa.Boolean(), nullable=False),
        sa.Column("because", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_overrides_decision_id", "overrides", ["decision_id"])
    op.create_table(
        "erasures",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("because", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_erasures_subject", "erasures", ["subject"])
    op.create_table(
        "redacted_spans",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("entity_type", sa.String(length=64), nullable=False),
        sa.Column("recognizer", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("spans", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "entity_type", "recognizer"),
    )
    op.create_index(
        "redacted_spans_counted",
        "redacted_spans",
        ["entity_type", "recognizer", "at", "policy", "spans"],
    )
    op.create_table(
        "redactions",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("about", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_redactions_about", "redactions", ["about"])
    op.create_index("ix_redactions_at", "redactions", ["at"])
    op.create_index("ix_redactions_subject", "redactions", ["subject"])
    op.create_table(
        "subtrees",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("place", NUMBER, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place"),
    )


def downgrade() -> None:
    """Refused."""
    raise NotImplementedError("The ledger is append-only: it is not taken away.")
