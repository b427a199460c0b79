"""Rows to judge: what goes is marked with its type; what only looks like it stays."""

from __future__ import annotations

import pytest

from tests.features.recognized import marked, unmarked

GOES = [
    "we are [ORGANIZATION Müller & Söhne GmbH], a mill",
    "at [ORGANIZATION Acme Tools Inc.] we do",
    "we at [ORGANIZATION Bluebird Labs] mill",
    "[ORGANIZATION acme gmbh] is ours",
    "Company: [ORGANIZATION Northwind Traders]",
    "[ORGANIZATION Contoso S.A. de C.V.]",
    "[ORGANIZATION Contoso Ltd and Fabrikam, Inc.]",
    "[ORGANIZATION Volkswagen AG]",
    "[ORGANIZATION Contact Jana Weiss], [ORGANIZATION Roth & Braun AG]",  # a person, to others
    "[ORGANIZATION Baptist, Wähner Druckerei KG]",
    "competitor [ORGANIZATION Tate Pharma], [ORGANIZATION Robotics GmbH & Co. KG]",
    "We use Spotify. [ORGANIZATION Roth AG]",
    "[IP_ADDRESS 10.1.2.3]. [ORGANIZATION Roth AG]",
    "We are [ORGANIZATION Weiss, Braun & Roth AG]",
    "[ORGANIZATION Weiss, Braun, Roth LLP]",
    "at [ORGANIZATION Gebr. Weiss GmbH]",
    "at [ORGANIZATION J. Murphy, Inc.]",
    "and [ORGANIZATION Silva Pharm. Ltd.] too",
    "via [ORGANIZATION Thornbury Engin. A/S]",
    "my firm, [ORGANIZATION Tate Intl. Thornbury S.A.], needs it",
    "the [ORGANIZATION Dupont, Weiss and Neumann SARL] wants a demo",
    "the [ORGANIZATION Hill, Braun, Dupont SARL] wants it",
    "Invoice to [ORGANIZATION Park, King Inc.] please",
    "via [ORGANIZATION Novák, Östlund, Cook S.r.l.]",
    "WE ARE [ORGANIZATION BRAUN AG] AND NEED 20 SEATS",
    "THE [ORGANIZATION SWATCH GROUP AG]",
    "THIS IS [ORGANIZATION IT CONSULTING AG]",
]
STAYS = [
    "the Limited edition and the Group",
    "Our Company grew",
    "an llc or a gmbh",
    "The Company",
    "SIZES ARE THE SAME AS before",
    "our budget is very limited and so are we",
]


@pytest.mark.parametrize("row", GOES)
def test_company_names_go(row: str) -> None:
    assert marked(unmarked(row)) == row


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_company_names_stays(text: str) -> None:
    assert marked(text) == text
