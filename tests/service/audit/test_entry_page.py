"""docs/audit.md says what an entry says."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
from filled_ledger import filled_ledger
from sqlalchemy import select

from service.audit.counting import Counting
from service.audit.filters import Filters
from service.storage.tables import entries

PAGE = Path(__file__).parents[3] / "docs" / "audit.md"
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ((?:`\w+`(?:, )?)+) \|$", re.MULTILINE)
ALL = {"at", "kind", "v"}


async def test_the_page_lists_every_field_of_every_kind_of_entry(tmp_path: Path) -> None:
    async with filled_ledger(f"sqlite:///{tmp_path}/t.db") as filled:
        filled.auditor.counts(Counting.parse("entries", "kind", None, Filters()))  # a read
        with filled.store.reading() as connection:
            trees = [orjson.loads(body) for body in connection.scalars(select(entries.c.body))]
    made = {tree["kind"]: sorted(set(tree) - ALL) for tree in trees}
    listed = {
        kind: re.findall(r"`(\w+)`", fields)
        for kind, fields in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    assert listed == made
