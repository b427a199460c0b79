"""OldAnswers: what an idempotency key was answered is kept for a day, and then forgotten."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from service.errors import StorageUnavailable
from service.storage.database import iso
from service.storage.tables import answered
from service.storage.writing import DirectWriter

log = logging.getLogger("tiebreak.store")

KEEP_ANSWERS = timedelta(hours=24)  # how long an idempotency key is remembered


class OldAnswers:
    """For whoever writes, between two transactions."""

    def __init__(self, writer: DirectWriter) -> None:
        self._writer = writer
        self._forget_at = datetime.now(UTC)

    def forget_when_due(self) -> None:
        """Once an hour."""
        now = datetime.now(UTC)
        if now < self._forget_at:
            return
        self._forget_at = now + KEEP_ANSWERS / 24
        try:
            self.forget()
        except StorageUnavailable:
            log.warning("Old idempotency keys could not be forgotten; tried again in an hour.")

    def forget(self) -> None:
        """All that are old now. Raises StorageUnavailable."""
        with self._writer.writing() as writing:
            old = answered.c.at < oldest_kept()
            writing.connection.execute(delete(answered).where(old))


def oldest_kept() -> str:
    """When an answer was given that is still remembered, at the earliest."""
    return iso(datetime.now(UTC) - KEEP_ANSWERS)
