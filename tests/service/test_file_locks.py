"""SQLite's locks on a file are the process's: nobody may take a running ledger for nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from service_fakes import store_at

from service.ledger.draft import Draft
from service.recording.entry import outcome
from service.storage.store import Store
from service.storage.unit import Unit

# As `tiebreak keys create`, or any other command, beside a service that runs.
OTHER = """
import sys
sys.path.insert(0, sys.argv[2])
from service_fakes import store_at
from service.keys import Role, create_key
store = store_at(sys.argv[1])
create_key(store, name="second", role=Role.ADMIN)
store.close()
"""
# As any other process sees it, which knows nothing of files that are deleted.
COUNT = """
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM entries").fetchone()[0])
"""


def python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def draft(number: int) -> Draft:
    return outcome(f"{number:036d}", won=True, key_id="k")


def in_use(store: Store) -> None:
    """Two connections, as every worker has."""
    with store.reading() as reading, store.writing():
        reading.exec_driver_sql("SELECT count(*) FROM entries").all()


async def test_what_comes_and_goes_leaves_the_files_of_a_running_process_alone(
    tmp_path: Path,
) -> None:
    database = tmp_path / "tiebreak.db"
    url, log = f"sqlite:///{database}", database.with_name("tiebreak.db-wal")
    with closing(store_at(url)) as store:
        for number in range(5):
            await store.append(Unit([draft(number)]))
        in_use(store)
        before = log.stat().st_ino
        python(OTHER, url, str(Path(__file__).parent))
        assert log.stat().st_ino == before
        for number in range(5, 105):
            await store.append(Unit([draft(number)]))
        assert int(python(COUNT, str(database))) == 105


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="Linux says who locks what")
def test_a_process_keeps_its_lock_however_many_connections_it_opens(tmp_path: Path) -> None:
    database = tmp_path / "tiebreak.db"
    with closing(store_at(f"sqlite:///{database}")) as store:
        in_use(store)
        file, me = f":{database.stat().st_ino}", str(os.getpid())
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        assert [one for one in locks if me in one and any(part.endswith(file) for part in one)]


def test_a_database_is_its_owners_alone(tmp_path: Path) -> None:
    database = tmp_path / "new" / "tiebreak.db"
    with closing(store_at(f"sqlite:///{database}")) as store:
        in_use(store)
        files = sorted(database.parent.iterdir())
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert [file.name for file in files if file.name.startswith(".")] == []
