"""What tells whether a secret is the one that subjects are found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. The first who comes with a secret fills it."""
    op.create_table(
        "subject_secret",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("subject_secret")
