"""Sample leads: synthetic leads of a made-up seller of shift-planning software.

Nobody in them exists. Telephone numbers come from the ranges that regulators keep free for fiction,
e-mail addresses from example.com (RFC 2606). The numbers say nothing about any real market: they
show a newcomer what Tiebreak does before a table of their own is at hand.

What is in them, on purpose: structured columns that alone rank leads at an AUC of 0.80 to 0.86,
and are sure about the third that hardly ever buys; messages that know more, independently of the
columns; a leak (`Sales stage`, filled in after the first contact); missing words (`Select`,
`unknown`); an id and a constant.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.sample_messages import Intent, sample_message

FILE_NAME = "sample_leads.synthetic.csv"
OUTCOME = "Won"
PRODUCT = "Shift planner"
ROWS, SEED = 3_000, 7

Row = dict[str, Any]

FIRST_DAY, DAYS = date(2024, 1, 8), 640
TEXT_SHARE = 0.65

FIRST_NAMES = (
    "Amira",
    "Bram",
    "Carla",
    "Daniel",
    "Elif",
    "Fergus",
    "Grace",
    "Hugo",
    "Ingrid",
    "Jamal",
    "Katrin",
    "Liam",
    "Mirela",
    "Noah",
    "Olive",
    "Pavel",
    "Quentin",
    "Rosa",
    "Stefan",
    "Tamsin",
    "Umar",
    "Vera",
    "Wanda",
    "Xavier",
    "Yasmin",
    "Zoe",
    "Anouk",
    "Boris",
    "Chloe",
    "Dina",
    "Emeka",
    "Freya",
    "Gavin",
    "Helena",
    "Isak",
    "Judith",
    "Kofi",
    "Lotte",
    "Matteo",
    "Niamh",
)
LAST_NAMES = ("Abbott", "Bergmann", "Castillo", "Dalton", "Eriksson", "Fontaine", "Greer", "Hassan",
    "Ivanov", "Jansen", "Kowalski", "Lindqvist", "Marchetti", "Novak", "O'Neill", "Petrov",
    "Quigley", "Rahman", "Sutherland", "Thorne", "Ueda", "Vasquez", "Whitlock", "Yilmaz", "Zeller",
    "Adeyemi", "Brandt", "Cormier", "Dupont", "Engel", "Farrell", "Gupta", "Holm", "Moreau",
    "Nakamura", "Oduya", "Pereira", "Reid", "Svensson", "Walsh")  # fmt: skip
COMPANY_FIRST = ("Alder", "Birch", "Copper", "Dune", "Elm", "Falcon", "Granite", "Harbour", "Iris",
    "Juniper", "Kestrel", "Lark", "Maple", "North", "Otter", "Pebble", "Quarry", "River", "Slate",
    "Tern", "Umber", "Violet", "Willow", "Yarrow")  # fmt: skip
COMPANY_LAST = {
    "Hospitality": ("Hotels", "Kitchens", "Cafes"),
    "Retail": ("Stores", "Market", "Outfitters"),
    "Healthcare": ("Clinics", "Care", "Dental"),
    "Logistics": ("Freight", "Warehousing", "Couriers"),
    "Manufacturing": ("Works", "Castings", "Plastics"),
    "Education": ("College", "Academy", "Tutors"),
    "Software": ("Systems", "Labs", "Data"),
    "Public sector": ("Council", "Services", "Trust"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a categorical column: how common it is, and its push on the log-odds of Won."""

    word: str
    weight: float
    push: float


SOURCES = (
    Choice("Partner referral", 0.12, 1.2),
    Choice("Website", 0.26, 0.2),
    Choice("Webinar", 0.12, 0.4),
    Choice("Trade fair", 0.10, 0.0),
    Choice("Search ad", 0.08, -0.3),
    Choice("Template download", 0.14, -3.4),  # came for something free
    Choice("Bought list", 0.18, -3.8),
)
INDUSTRIES = (
    Choice("Hospitality", 0.20, 0.4),
    Choice("Retail", 0.19, 0.3),
    Choice("Healthcare", 0.16, 0.3),
    Choice("Logistics", 0.12, 0.1),
    Choice("Manufacturing", 0.11, 0.0),
    Choice("Education", 0.09, -0.7),
    Choice("Software", 0.08, -0.6),
    Choice("Public sector", 0.05, -0.4),
)
BUDGETS = (
    Choice("Select", 0.30, -0.2),  # the form's menu, left as it was
    Choice("unknown", 0.08, 0.0),
    Choice("under 5k", 0.22, -0.6),
    Choice("5k to 20k", 0.22, 0.3),
    Choice("20k to 50k", 0.12, 0.8),
    Choice("over 50k", 0.06, 0.6),
)
COUNTRIES = (
    Choice("United Kingdom", 0.38, 0.1),
    Choice("Ireland", 0.10, 0.2),
    Choice("Germany", 0.15, 0.0),
    Choice("France", 0.12, -0.1),
    Choice("Sweden", 0.08, 0.1),
    Choice("United States", 0.12, -0.3),
    Choice("Australia", 0.05, -0.1),
)
# Ranges kept free for fiction: Ofcom, ComReg, Bundesnetzagentur, Arcep, PTS, NANPA, ACMA.
PHONES = {
    "United Kingdom": "+44 20 7946 0###",
    "Ireland": "+353 20 911 0###",
    "Germany": "+49 30 23125 ###",
    "France": "+33 1 99 00 ## ##",
    "Sweden": "+46 8 465 004 ##",
    "United States": "+1 202-555-01##",
    "Australia": "+61 2 5550 ####",
}

# What won and lost leads write: each row sums to 1. Some of the keenest are lost all the same.
INTENTS: dict[bool, dict[Intent, float]] = {
    True: {
        Intent.HOT: 0.50,
        Intent.WARM: 0.34,
        Intent.NEUTRAL: 0.09,
        Intent.COOL: 0.05,
        Intent.DEAD: 0.02,
    },
    False: {
        Intent.HOT: 0.02,
        Intent.WARM: 0.07,
        Intent.NEUTRAL: 0.13,
        Intent.COOL: 0.36,
        Intent.DEAD: 0.42,
    },
}
STAGES = {
    True: ("Contract signed", "Closed won", "Onboarding"),
    False: ("Closed lost", "No reply", "Nurture"),
}
BASE_LOG_ODDS = -0.9


@dataclass(frozen=True, slots=True)
class DemoLead:
    """A synthetic lead to decide, and in one sentence what it shows."""

    name: str
    shows: str
    fields: Row


def sample_leads(rows: int = ROWS, seed: int = SEED) -> list[Row]:
    """Synthetic leads, oldest first; the same for the same seed on any machine.

    Values are strings and numbers; None is missing.
    """
    rng = random.Random(seed)  # noqa: S311  (invents leads, guards nothing)
    days = sorted(rng.randrange(DAYS) for _ in range(rows))
    return [_lead(rng, number, day) for number, day in enumerate(days, start=1)]


def write_sample(path: Path, *, rows: int = ROWS, seed: int = SEED) -> None:
    """Write the sample leads as CSV: UTF-8, comma, one header row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    leads = sample_leads(rows, seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(leads[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(leads)


def demo_leads(seed: int = SEED) -> tuple[DemoLead, DemoLead, DemoLead]:
    """Three new leads: sure, ambiguous, and one that hangs on its free text.

    Their columns are fixed; `seed` only changes who they are.
    """
    rng = random.Random(f"demo {seed}")  # noqa: S311
    return (
        DemoLead(
            "sure",
            "Its columns settle it: no LLM needed.",
            _new_lead(rng, SURE),
        ),
        DemoLead(
            "ambiguous",
            "Its columns could go either way; its message asks for a price.",
            _new_lead(rng, AMBIGUOUS, ASKS),
        ),
        DemoLead(
            "hangs on its free text",
            "Its columns look like a loss; its message says that it wants to buy.",
            _new_lead(rng, UNPROMISING, READY),
        ),
    )


SURE = {
    "Lead source": "Bought list",
    "Industry": "Education",
    "Employees": 4,
    "Country": "United States",
    "Pages viewed": 1,
    "Minutes on site": 0.6,
    "Demo requested": "no",
    "Budget band": "under 5k",
}
AMBIGUOUS = {
    "Lead source": "Trade fair",
    "Industry": "Logistics",
    "Employees": 45,
    "Country": "Germany",
    "Pages viewed": 7,
    "Minutes on site": 8.5,
    "Demo requested": "yes",
    "Budget band": "under 5k",
}
UNPROMISING = {
    "Lead source": "Search ad",
    "Industry": "Logistics",
    "Employees": 15,
    "Country": "Germany",
    "Pages viewed": 7,
    "Minutes on site": 8.5,
    "Demo requested": "no",
    "Budget band": "under 5k",
}
ASKS = """Hello, can you send me a price list for 40 users? {first} from {company} here.
You can reach me on {phone}."""
READY = """The trial was great and my team loves it. We are ready to buy, please call me today
on {phone}! {name}, {company}"""


def _new_lead(rng: random.Random, profile: Row, message: str | None = None) -> Row:
    contact = _contact(rng, profile)
    written = {"Message": message.format(**_slots(contact))} if message else {}
    return {**contact, **profile, "Product": PRODUCT, **written}


def _lead(rng: random.Random, number: int, day: int) -> Row:
    profile, push = _profile(rng)
    won = rng.random() < 1 / (1 + math.exp(-(BASE_LOG_ODDS + push)))
    contact = _contact(rng, profile)
    return {
        "Lead ID": f"SYN-{number:05d}",
        "Created": (FIRST_DAY + timedelta(days=day)).isoformat(),
        **contact,
        **profile,
        "Product": PRODUCT,
        "Message": _message(rng, won, contact),
        "Sales stage": _stage(rng, won),
        OUTCOME: "yes" if won else "no",
    }


def _profile(rng: random.Random) -> tuple[Row, float]:
    """The structured columns, and what they add to the log-odds of Won."""
    source, industry, budget, country = (
        _pick(rng, choices) for choices in (SOURCES, INDUSTRIES, BUDGETS, COUNTRIES)
    )
    employees = max(1, round(math.exp(rng.gauss(4.2, 1.6))))
    pages = min(90, int(rng.expovariate(1 / 7)) + 1)
    minutes = round(min(240.0, pages * rng.lognormvariate(0.1, 0.6)), 1)
    demo = rng.random() < (0.15 if source.word == "Bought list" else 0.40)
    push = source.push + industry.push + budget.push + country.push
    push += 0.8 if demo else -0.3
    push += 0.5 - 0.16 * (math.log(employees) - 4.8) ** 2  # best around 120 people
    push += 0.5 * (math.log(minutes + 1) - 1.9)
    profile = {
        "Lead source": source.word,
        "Industry": None if rng.random() < 0.06 else industry.word,
        "Employees": None if rng.random() < 0.07 else employees,
        "Country": country.word,
        "Pages viewed": pages,
        "Minutes on site": minutes,
        "Demo requested": "yes" if demo else "no",
        "Budget band": budget.word,
    }
    return profile, push


def _pick(rng: random.Random, choices: tuple[Choice, ...]) -> Choice:
    return rng.choices(choices, [choice.weight for choice in choices])[0]


def _contact(rng: random.Random, profile: Mapping[str, Any]) -> Row:
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    industry = profile["Industry"] or "Retail"
    company = f"{rng.choice(COMPANY_FIRST)} {rng.choice(COMPANY_LAST[industry])}"
    domain = company.lower().replace(" ", "-") + ".example.com"
    local = rng.choice((f"{first}.{last}", f"{first[0]}.{last}", first)).lower().replace("'", "")
    digits = (str(rng.randrange(10)) if c == "#" else c for c in PHONES[profile["Country"]])
    return {
        "Full name": f"{first} {last}",
        "Email": f"{local}@{domain}",
        "Phone": "".join(digits),
        "Company": company,
    }


def _message(rng: random.Random, won: bool, contact: Row) -> str | None:
    if rng.random() >= TEXT_SHARE:
        return None
    intents = INTENTS[won]
    intent = rng.choices(list(intents), list(intents.values()))[0]
    return sample_message(rng, intent, _slots(contact))


def _slots(contact: Row) -> dict[str, str]:
    name = contact["Full name"]
    slots = {"name": name, "first": name.split(" ")[0], "company": contact["Company"]}
    return slots | {"phone": contact["Phone"], "email": contact["Email"]}


def _stage(rng: random.Random, won: bool) -> str:
    """Filled in by sales after contact: a leak, though not a perfect copy of the outcome."""
    return "Contacted" if rng.random() < 0.06 else rng.choice(STAGES[won])
