r"""Training messages: templates filled with identities of the training half and with decoys.

A template is one line of `templates/train_*.txt`: `\n` starts a line, `[a|b]` is one of them, and
`{slot}` a field of an identity (`{first2}`: of the second one) or a kind of phrase in
`words/phrases.toml`. `_low` and `_cap` change a phrase's first letter, capitals all letters.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipelines.redaction.address_writings import corner, street_name, unit
from pipelines.redaction.english_words import (
    english_namesakes,
    english_surnames,
    english_words,
)
from pipelines.redaction.example import Example, Span
from pipelines.redaction.identities import SLOT_TYPES, Identities, Identity, Part
from pipelines.redaction.identity_numbers import digits
from pipelines.redaction.known_products import coined_product, known_products
from pipelines.redaction.name_pools import (
    WORDS,
    first_names,
    frequent_words,
    invented_words,
    plain_words,
    read_words,
    surnames,
)

TEMPLATES = Path(__file__).with_name("templates")
CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
SLOT = re.compile(r"\{([A-Za-z_]+)(\d?)\}")
# Kinds of things that get made-up names, and what these end with.
MADE_UP = {
    "tool": "CRM Cloud Desk Hub Suite Flow Sheets ERP One Connect 365 Studio Online Analytics .io",
    "product": "Pro Max 2 3000 X200 Mini Plus Air Ultra S9 Lite Classic Series V8 4K",
    "brand": "Home Kids Sport Denim & Co.",
    "event": "Summit Expo Conference Days Fair Week Forum",
}
# Of those the kinds of which many exist, and which list holds them.
KNOWN = {"tool": "tool", "brand": "brand", "product": "brand"}
MADE_UP_SHARE, KNOWN_SHARE, NAMESAKE_SHARE = 0.3, 0.4, 0.05  # namesakes: of people, as `Zoe`
NAMESAKES = {"brand": surnames, "product": first_names}
KNOWN_EMPLOYERS = 0.1  # of companies: brands, which go where somebody works there
WORD_AS_NAME = 0.3  # of people, where products are called by names too
SURNAME_SHARE = 0.4  # of these: by their family name
TITLES = {"film", "song"}
CAPITALISED = {"feature", "paper", "campaign"}  # any two or three words, as a product calls a part
RARE = {"noun", "verb", "adjective", "adverb"}  # words of these come from a lexicon too
Piece = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Template:
    """name: of its file and line. locale: of whoever writes in it; None for any."""

    name: str
    text: str
    locale: str | None = None


@cache
def templates() -> tuple[Template, ...]:
    """All training templates, in order."""
    return tuple(t for path in sorted(TEMPLATES.glob("train_*.txt")) for t in _read(path))


@cache
def second_look_templates() -> tuple[Template, ...]:
    """Those that only the second look at names learns from."""
    return tuple(t for path in sorted(TEMPLATES.glob("second_look*.txt")) for t in _read(path))


def _read(path: Path) -> Iterator[Template]:
    for line_number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line or line.startswith("# "):
            continue
        name, text = f"{path.stem}:{line_number}", line.replace("\\n", "\n")
        locale, bar, rest = text.partition("|")
        own = bar and re.fullmatch(r"[a-z]{2}_[A-Z]{2}", locale)
        yield Template(name, rest, locale) if own else Template(name, text)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Choices of one kind of slot."""

    entity_type: str | None
    choices: tuple[str, ...]


@cache
def phrases() -> Mapping[str, Phrases]:
    """By slot."""
    plain = (WORDS / "plain_sentences.txt").read_text(encoding="utf-8")
    return {"plain": Phrases(None, tuple(plain.splitlines()))} | {
        kind: Phrases(
            entry["type"] or None,
            tuple(w.strip() for w in re.split(r"[;\n]", entry["words"]) if w.strip()),
        )
        for kind, entry in read_words("phrases").items()
    }


class Filler:
    """Fills templates. The same seed fills them alike."""

    def __init__(
        self, seed: int, part: Part = Part.TRAIN, coined: float = 0.0, namesakes: float = 0.0
    ) -> None:
        """coined: how many of the products that exist are replaced by some that only sound so.
        namesakes: how many English words that products are called by are people's names too.
        """
        self._rng = random.Random(f"filler:{seed}")  # noqa: S311  # no secret is drawn
        self._identities = Identities(part, seed)
        self._part = part
        self._coined = coined
        self._namesakes = namesakes

    def fill(self, template: Template) -> Example:
        """One example of a template."""
        people: dict[str, Identity] = {}
        names: dict[str, str] = {}
        pieces = list(self._pieces(template.text, template.locale, people, names))
        text, spans = _joined(pieces)
        locale = people["1"].locale if "1" in people else template.locale or "en_US"
        return Example(text, spans, template.name, locale)

    def _pieces(
        self, text: str, locale: str | None, people: dict[str, Identity], names: dict[str, str]
    ) -> Iterator[Piece]:
        chosen = CHOICE.sub(lambda m: self._rng.choice(m[1].split("|")), text)
        at = 0
        for slot in SLOT.finditer(chosen):
            yield chosen[at : slot.start()], None
            at = slot.end()
            kind, who = slot[1], slot[2] or "1"
            yield from self._slot(kind, who, locale, people, names)
        yield chosen[at:], None

    def _slot(
        self,
        kind: str,
        who: str,
        locale: str | None,
        people: dict[str, Identity],
        names: dict[str, str],
    ) -> Iterator[Piece]:
        word = re.sub(r"(?<=.)_(low|plain|cap)", "", kind.lower())
        phrase = phrases().get(kind if kind in phrases() else word)
        if phrase and not (word == "country" and (locale or self._rng.random() < 0.3)):
            yield from self._phrase(phrase, word, kind, locale, people, names)
            return
        if word == "words":
            chosen = " ".join(self._rng.choices(plain_words(locale or "en_US"), k=4))
            yield chosen.capitalize() if "_cap" in kind else chosen, None
            return
        if word == "count":
            yield str(self._rng.randint(0, 10 ** self._rng.randint(1, 6))), None
            return
        if who not in people:
            people[who] = self._with_word_as_name(self._identities.draw(locale))
        value, entity_type = self._value(word, people[who], names, who)
        yield value.upper() if kind.isupper() else value, entity_type

    def _phrase(
        self,
        phrase: Phrases,
        word: str,
        kind: str,
        locale: str | None,
        people: dict[str, Identity],
        names: dict[str, str],
    ) -> Iterator[Piece]:
        text = self._rng.choice(phrase.choices)
        if word in MADE_UP:
            text = self._product(word, text)
        if word == "plan" and self._rng.random() < 0.4:
            text = self._drawn(self._rng.choice(["adjective", "noun"]))
        if word in TITLES and self._rng.random() < 0.6:
            text = self._title(quoted=word == "song")
        if word in CAPITALISED and self._rng.random() < 0.75:
            text = self._capitalised()
        if word in RARE and self._rng.random() < 0.5:
            text = self._rare(word)
        if "_low" in kind and not text.startswith("I"):
            text = text[0].lower() + text[1:]
        if "_cap" in kind:
            text = text[0].upper() + text[1:]
        if phrase.entity_type:
            yield text.upper() if kind.isupper() else text, phrase.entity_type
        else:
            yield from self._pieces(text, locale, people, names)

    def _product(self, kind: str, listed: str) -> str:
        """One of the few that are in the phrases, one of many that exist, or one made up."""
        draw = self._rng.random()
        if draw < MADE_UP_SHARE:
            return self._made_up(MADE_UP[kind])
        if draw < MADE_UP_SHARE + KNOWN_SHARE and kind in KNOWN:
            return self._known(kind)
        if draw > 1 - NAMESAKE_SHARE and kind in NAMESAKES:
            return self._rng.choice(NAMESAKES[kind]("en_US", self._part))
        return listed

    def _known(self, kind: str) -> str:
        known = self._rng.choice(known_products(KNOWN[kind]))
        if self._coined and self._rng.random() < self._coined:
            known = coined_product(KNOWN[kind], self._rng)
        if kind != "product":
            return known
        endings = [*MADE_UP["product"].split(), self._model_number(), self._model_number()]
        return f"{known} {self._rng.choice(endings)}"

    def _model_number(self) -> str:
        rng = self._rng
        letters = "".join(rng.choices("ABCDEGHKLMPQRSTVXZ", k=rng.choice([0, 1, 1, 2, 3])))
        return (
            letters
            + rng.choice(["", "", "-", " "] if letters else [""])
            + digits(rng, rng.choice([1, 2, 2, 3, 3, 4]))
        )

    def _made_up(self, endings: str) -> str:
        """A tool or product that nobody has heard of, so that what is said of it must tell."""
        name = self._rng.choice(invented_words(self._part))
        if self._is_namesake():
            name = self._rng.choice(english_namesakes("noun")).capitalize()
        elif self._rng.random() < 0.4:
            pool = english_words("noun") if self._rng.random() < 0.5 else frequent_words()
            name = self._rng.choice(pool).capitalize()
        if self._rng.random() < 0.2:
            name += self._rng.choice(frequent_words()).capitalize()
        ending = self._rng.choice(endings.split())
        return name if self._rng.random() < 0.5 else f"{name} {ending}"

    def _is_namesake(self) -> bool:
        """Drawn only where namesakes are wanted, so that what is drawn without them stays."""
        return self._namesakes > 0 and self._rng.random() < self._namesakes

    def _with_word_as_name(self, who: Identity) -> Identity:
        """Where namesakes are wanted, some people are called Will or Hope, some Price or Banks."""
        if not (self._namesakes and self._rng.random() < WORD_AS_NAME):
            return who
        if self._rng.random() < SURNAME_SHARE:
            words, bearers = english_surnames()
            last = self._rng.choices(words, bearers)[0].capitalize()
            full = who.full.replace(who.last, last, 1) if who.last in who.full else last
            return replace(who, last=last, full=full)
        first = self._rng.choice(phrases()["wordname"].choices)
        full = who.full.replace(who.first, first, 1) if who.first in who.full else first
        return replace(who, first=first, full=full)

    def _title(self, *, quoted: bool) -> str:
        """Of a film or a song: words that may stand in any title."""
        pools = (frequent_words(), english_words("noun"), invented_words(self._part))
        count = self._rng.choice([1, 1, 2, 2, 3])
        words = [self._rng.choice(self._rng.choice(pools)).capitalize() for _ in range(count)]
        title = " ".join([*self._rng.choice([[], [], ["The"], ["A"]]), *words])
        return f'"{title}"' if quoted else title

    def _capitalised(self) -> str:
        """What a feature, a paper or a campaign may be called: words that all know, in capitals."""
        rng, drawn = self._rng, self._drawn
        first = drawn(rng.choice(["adjective", "noun", "noun", "verb"]))
        last = drawn("noun") + rng.choice(["", "", "s", "ing", "er"])
        shapes = [
            f"{first} {last}", f"{first} {last}", f"{first} {last}", f"{first}-{last}",
            f"{first} {drawn('noun')} {last}", f"{first} of {last}", f"{first} & {last}", last,
            f"{first}{last}", f"{first} to {last}",
        ]  # fmt: skip
        return rng.choice(shapes)

    def _drawn(self, kind: str) -> str:
        """A noun, a verb or an adjective with a capital."""
        if self._is_namesake():
            return self._rng.choice(english_namesakes(kind)).capitalize()
        common = phrases()[kind].choices
        pools = (common, frequent_words(), english_words(kind), english_words(kind))
        return self._rng.choice(self._rng.choice(pools)).split()[0].capitalize()

    def _rare(self, kind: str) -> str:
        if self._rng.random() < 0.5:
            return self._rng.choice(frequent_words())
        text = self._rng.choice(english_words(kind))
        return text + self._rng.choice(["ed", "s", "ing", ""]) if kind == "verb" else text

    def _value(self, kind: str, who: Identity, names: dict[str, str], key: str) -> Piece:
        if kind == "name":
            if key not in names:
                names[key] = self._name(who)
            return names[key], "PERSON"
        if kind == "both":
            return f"{who.first} {who.last}", "PERSON"
        if kind == "wordname_full":
            first = self._rng.choice(phrases()["wordname"].choices)
            return f"{first} {self._rng.choice(surnames(who.locale, self._part))}", "PERSON"
        if kind == "a_job":
            job = self._rng.choice(phrases()["job"].choices)
            return ("an " if job[0] in "AEIO" else "a ") + job, None
        if kind in SLOT_TYPES:
            known = kind == "company" and self._rng.random() < KNOWN_EMPLOYERS
            value = self._rng.choice(known_products("brand")) if known else getattr(who, kind)
            return str(value), SLOT_TYPES[kind]
        return self._address_part(kind, who), "STREET_ADDRESS"

    def _name(self, who: Identity) -> str:
        both = f"{who.first} {who.last}"
        return self._rng.choice([who.full, who.full, both, both, who.first, who.first, who.last])

    def _address_part(self, kind: str, who: Identity) -> str:
        rng = self._rng
        parts: dict[str, Callable[[], str]] = {
            "street_name": lambda: street_name(who.locale, self._part, rng),
            "unit": lambda: unit(who.locale, rng),
            "long_line": lambda: f"{digits(rng, rng.randint(2, 5))} {who.street_line}",
            "corner": lambda: corner(who.locale, self._part, rng),
            "street_flat": lambda: re.sub(r",?\s*\n[\s,]*", ", ", who.street),
        }
        return parts[kind]()


def _joined(pieces: list[Piece]) -> tuple[str, tuple[Span, ...]]:
    spans: list[Span] = []
    size = 0
    for text, entity_type in pieces:
        if entity_type and text:
            spans.append(Span(size, size + len(text), entity_type))
        size += len(text)
    return "".join(text for text, _ in pieces), tuple(spans)
