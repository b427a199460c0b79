"""Witnessing: shows each checkpoint to the witness, and keeps what it has cosigned.

A witness that is not there costs nothing but its signature. One that refuses has seen another log
than this: an alarm, which stays until a person has looked.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import delete, insert, select

from service.errors import StorageUnavailable
from service.every import Every
from service.ledger.checkpoint import with_signature
from service.ledger.errors import LedgerDamaged, WitnessBehind, WitnessError, WitnessRefused
from service.ledger.proofs import Head, consistency, head, witnessed
from service.ledger.witness import WitnessClient
from service.metrics import Metrics
from service.storage.store import Store
from service.storage.tables import checkpoints

log = logging.getLogger("tiebreak.witness")

PAUSE = timedelta(seconds=1)
ALARM = "The ledger is not what the witness saw before: entries were changed, or are gone."
HOUR = len("2026-01-01T00")  # of a time


class Witnessing:
    """One per worker: all of them may show the same checkpoint."""

    def __init__(
        self, store: Store, client: WitnessClient, metrics: Metrics, *, pause: timedelta = PAUSE
    ) -> None:
        self._store = store
        self._client = client
        self._metrics = metrics
        self._seen: int | None = None  # size that the witness last cosigned, as far as we know
        self._problem: str | None = None
        self._every = Every("witnessing", pause, self.look)

    @property
    def problem(self) -> str | None:
        """Why there is no fresh cosignature; None where all is well."""
        return self._problem

    def start(self) -> None:
        self._every.start()

    def close(self) -> None:
        self._every.close()
        self.look()  # or what came last is cosigned at the next start only, and looks old by then
        self._client.close()

    def look(self) -> None:
        """Show the newest checkpoint, if it was not shown yet. Never raises."""
        if self._problem == ALARM:
            return
        try:
            self._show()
        except StorageUnavailable:
            return  # said elsewhere, and tried again
        except WitnessBehind as behind:
            self._seen = behind.size
        except WitnessRefused:
            self._report(ALARM)
        except LedgerDamaged as damage:
            self._report(str(damage))
        except WitnessError as error:
            self._report(str(error))
        else:
            self._report(None)

    def _show(self) -> None:
        with self._store.reading() as connection:
            newest = head(connection)
            if self._seen is None:
                known = witnessed(connection)
                self._seen = known.size if known else 0
            if newest.size == self._seen:
                return
            if newest.size < self._seen:
                raise WitnessRefused(ALARM)
            path = consistency(connection, self._seen, newest.size) if self._seen else []
        line = self._client.submit(self._seen, path, newest.note)
        self._seen = newest.size
        self._keep(newest, with_signature(newest.note, line))

    def _keep(self, shown: Head, note: str) -> None:
        """The newest of each hour stays; between them nothing is proven that they do not."""
        same_hour = checkpoints.c.at.startswith(shown.at[:HOUR])
        with self._store.writing() as writing:
            writing.take_turn()  # or two workers keep the same one, and the second of them fails
            connection = writing.connection
            newer = connection.scalar(
                select(checkpoints.c.size).where(checkpoints.c.size >= shown.size).limit(1)
            )
            if newer is not None:  # another worker was faster
                return
            connection.execute(delete(checkpoints).where(same_hour))
            row = {"size": shown.size, "at": shown.at, "note": note}
            connection.execute(insert(checkpoints), [row])

    def _report(self, problem: str | None) -> None:
        """One line when it changes, not one a second."""
        if problem is not None and problem != self._problem:
            log.error("%s", problem)
        self._problem = problem
        self._metrics.witness_problem(is_there=problem is not None, is_alarm=problem == ALARM)
