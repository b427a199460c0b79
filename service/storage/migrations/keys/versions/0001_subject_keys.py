"""The keys of subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "subject_keys",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_subject_keys_created_at", "subject_keys", ["created_at"])
    op.create_index("ix_subject_keys_tag", "subject_keys", ["tag"])


def downgrade() -> None:
    """Refused."""
    raise NotImplementedError("Without the keys nothing sealed can be opened.")
