from __future__ import annotations

import copy
import logging
import pickle
import re
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from presidio_analyzer import LocalRecognizer, RecognizerResult

from features.errors import RedactionFailed
from features.lead import MAX_TEXT_CHARS
from features.named_entities import NamedEntities
from features.redaction import RedactedText, Redactor
from features.redaction_policy import RedactionPolicy
from tests.features.cpu_cost import quiet_ms

JANE = "Hi, I am Jane Smith, jane.smith@acme.com, again: JANE.SMITH@acme.com or joe@acme.com."
CONTACTS = {"name": "Jane Smith", "email": "jane.smith@acme.com"}
PLACEHOLDER = re.compile(r"<[A-Z_]+_\d+>")


class Fixed(LocalRecognizer):  # type: ignore[misc]
    """A recognizer that gives what it was told, or raises it."""

    def __init__(self, *results: tuple[str, int, int, float] | Exception) -> None:
        super().__init__(supported_entities=["PERSON"])
        self._results = results

    def load(self) -> None: ...

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002
        for result in self._results:
            if isinstance(result, Exception):
                raise result
        return [RecognizerResult(*result) for result in self._results if isinstance(result, tuple)]


def redactor_with(*recognizers: LocalRecognizer) -> Redactor:
    return Redactor(RedactionPolicy.shipped(), recognizers)


# --- what comes out -------------------------------------------------------------------------


def test_the_same_value_has_the_same_number_within_one_text(redactor: Redactor) -> None:
    redacted = redactor.redact(JANE, CONTACTS)
    assert redacted.text == (
        "Hi, I am <PERSON_1>, <EMAIL_ADDRESS_1>, again: <EMAIL_ADDRESS_1> or <EMAIL_ADDRESS_2>."
    )
    assert redacted.counts == {"EMAIL_ADDRESS": 3, "PERSON": 1}
    assert redacted.policy == redactor.policy_version == RedactionPolicy.shipped().version


def test_spans_point_into_the_original_text_under_any_disguise(redactor: Redactor) -> None:
    text = "\u200bmail: ja\u200bne&#64;acme\uff0ecom \u2014 ﬁne"
    redacted = redactor.redact(text)
    (span,) = redacted.spans
    assert text[span.start : span.end] == "ja\u200bne&#64;acme\uff0ecom"
    assert redacted.text == "mail: <EMAIL_ADDRESS_1> - fine"


def test_overlapping_and_touching_spans_leave_nothing_between() -> None:
    spans = [("PERSON", 2, 5, 0.6), ("PHONE_NUMBER", 4, 9, 0.9), ("URL", 8, 10, 0.9)]
    touching = [("IP_ADDRESS", 10, 12, 0.9), ("IP_ADDRESS", 12, 14, 0.9)]
    redacted = redactor_with(Fixed(*spans, *touching)).redact("ab0123456789abcd")
    assert redacted.text == "ab<PHONE_NUMBER_1><IP_ADDRESS_1>cd"
    assert [(s.start, s.end) for s in redacted.spans] == [(2, 10), (10, 14)]


@given(st.data())
def test_every_character_found_goes_and_every_other_stays(data: st.DataObject) -> None:
    text = data.draw(st.text("abcdefgh ", min_size=1, max_size=40))
    ends = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(ends, ends).filter(lambda p: p[0] < p[1]), max_size=8))
    kinds = data.draw(st.lists(st.sampled_from(["PERSON", "URL"]), min_size=8, max_size=8))
    found = [(kind, a, b, 0.9) for kind, (a, b) in zip(kinds, pairs, strict=False)]
    redacted = redactor_with(Fixed(*found)).redact(text)
    gone = {i for _, a, b, _ in found for i in range(a, b)}
    assert PLACEHOLDER.sub("", redacted.text) == "".join(
        c for i, c in enumerate(text) if i not in gone
    )
    assert {i for s in redacted.spans for i in range(s.start, s.end)} == gone


planted = st.sampled_from(
    [
        "jane.smith@acme.com",
        "4111 1111 1111 1111",
        "5500000000000004",
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
        "Jane Smith",
        "smith, jane",
        "+49 30 5550123",
        "Zorblatt",
    ]
)
LEAD = {
    "name": "Jane Smith",
    "email": "jane.smith@acme.com",
    "phone": "030 5550123",
    "company": "Zorblatt Ltd",
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(before=st.text(max_size=30), value=planted, after=st.text(max_size=30))
@example(before="\u0301", value="Jane Smith", after="\u0301")
@example(before="&", value="Jane Smith", after=";")
@example(before="7", value="4111 1111 1111 1111", after="8")
def test_no_planted_value_survives(redactor: Redactor, before: str, value: str, after: str) -> None:
    assume("@" not in value or not (before[-1:].isalnum() and after[:1].isalnum()))
    redacted = redactor.redact(f"{before} {value} {after}", LEAD)
    assert value.casefold() not in PLACEHOLDER.sub("", redacted.text).casefold()


# --- nothing else may leave -----------------------------------------------------------------


def test_nobody_but_a_redactor_makes_redacted_text(redactor: Redactor) -> None:
    redacted = redactor.redact("hello")
    with pytest.raises(TypeError, match=r"Redactor\.redact"):
        RedactedText("raw", "v", ())  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"Redactor\.redact"):
        RedactedText(text="raw", policy="v", spans=(), seal=object())
    with pytest.raises(TypeError, match=r"Redactor\.redact"):
        RedactedText.__new__(RedactedText)
    with pytest.raises(TypeError, match=r"Redactor\.redact"):
        redacted.__init__("raw", "v", (), seal=None)  # type: ignore[misc]
    with pytest.raises(TypeError, match="no subclasses"):
        type("Posing", (RedactedText,), {})
    assert redacted.text == "hello"


def test_redacted_text_cannot_be_changed_or_pickled(redactor: Redactor) -> None:
    redacted = redactor.redact("hello")
    with pytest.raises(AttributeError, match="never changes"):
        redacted.text = "raw"
    with pytest.raises(AttributeError, match="never changes"):
        del redacted.text
    with pytest.raises(TypeError):
        redacted.counts["PERSON"] = 0  # type: ignore[index]
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(redacted)
    assert copy.copy(redacted) is redacted
    assert copy.deepcopy(redacted) is redacted


def test_redacted_text_is_no_str_and_shows_none(redactor: Redactor) -> None:
    redacted = redactor.redact("a word in clear, " + JANE, CONTACTS)
    assert not isinstance(redacted, str)
    for shown in (repr(redacted), str(redacted), f"{redacted}"):
        assert "clear" not in shown
        assert "EMAIL_ADDRESS" in shown


# --- when it fails --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        Fixed(ValueError(f"cannot read {JANE}")),
        Fixed(RecursionError(JANE)),
        Fixed(("PERSON", 0, 100_000, 0.9)),
        Fixed(("PERSON", 5, 5, 0.9)),
    ],
)
def test_a_failing_recognizer_means_no_text_and_no_trace_of_it(broken: Fixed) -> None:
    with pytest.raises(RedactionFailed) as failure:
        redactor_with(broken).redact(JANE, CONTACTS)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None
    shown = "".join(traceback.format_exception(failure.value)) + repr(failure.value)
    assert "Jane" not in shown
    assert "acme" not in shown


def test_whichever_recognizer_fails_no_text_comes_out(redactor: Redactor) -> None:
    shipped = list(redactor._shelf.recognizers)
    assert len(shipped) > 50
    for place, recognizer in enumerate(shipped):
        others = [Fixed(ValueError(JANE)) if i == place else r for i, r in enumerate(shipped)]
        with pytest.raises(RedactionFailed, match="ValueError"):
            redactor_with(*others).redact(JANE)
        assert recognizer.name
    with pytest.raises(RedactionFailed):
        redactor_with(*shipped).redact(JANE, {"name": Unreadable("Jane")})


class Unreadable(str):
    """A contact value that fails when it is read."""

    __slots__ = ()

    def __len__(self) -> int:
        raise ValueError(JANE)


def test_a_failing_network_means_no_text() -> None:
    policy = RedactionPolicy.shipped()
    names = NamedEntities(policy.ner_model, policy.ner_weights, policy.max_ner_words)
    names._reader = None  # type: ignore[assignment]
    with pytest.raises(RedactionFailed, match="Do not send"):
        redactor_with(names).redact(JANE)


@pytest.mark.parametrize("text", [None, 7, b"bytes", ["a"]])
def test_what_is_no_text_is_refused(redactor: Redactor, text: Any) -> None:
    with pytest.raises(RedactionFailed):
        redactor.redact(text)


@pytest.mark.parametrize("contacts", [{"name": 7}, 7, [None], "Jane Smith"])
def test_contacts_that_cannot_be_read_are_refused(redactor: Redactor, contacts: Any) -> None:
    with pytest.raises(RedactionFailed):
        redactor.redact("hello", contacts)


def test_too_long_a_text_is_refused(redactor: Redactor) -> None:
    with pytest.raises(RedactionFailed, match="Send at most 20,000"):
        redactor.redact("a" * (MAX_TEXT_CHARS + 1))
    with pytest.raises(RedactionFailed, match="words to read"):
        redactor.redact("a a a a" * 2_500)


def test_nothing_of_a_text_is_logged(redactor: Redactor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        redactor.redact(JANE, CONTACTS)
    assert "Jane" not in caplog.text
    assert "acme" not in caplog.text


# --- under load -----------------------------------------------------------------------------


def test_two_threads_at_once_never_mix(redactor: Redactor) -> None:
    def one(n: int) -> tuple[str, str]:
        name = f"Qu{'abcdefghijklmnopqrst'[n] * 5}x"
        text = f"I am {name}, mail {name}@acme.com, order number {n}4711. Regards from Berlin."
        return text, redactor.redact(text, {"name": name}).text

    alone = [one(n) for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(one, range(20)))
    assert together == alone
    for n, (text, safe) in enumerate(together):
        assert text.split()[2].rstrip(",") not in safe
        assert "order number <ACCOUNT_NUMBER_1>." in safe, n


HOSTILE = ["a.", "a@", "1 ", "'", "((", "4111-", "DE89", "+49 ", "&amp;", "😀", "1 Aaa Bbb ", "\n"]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_texts_are_finished_or_refused_in_bounded_time(
    redactor: Redactor, unit: str
) -> None:
    text = (unit * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS]

    def finish_or_refuse() -> None:
        try:
            redactor.redact(text, LEAD)
        except RedactionFailed as refusal:
            assert "Send" in str(refusal)  # noqa: PT017

    assert quiet_ms(finish_or_refuse, enough=500) < 2_000  # 250 at most; stock Presidio: 35 s


@pytest.mark.disable_socket
def test_loading_and_redacting_open_no_socket() -> None:
    fresh = Redactor.load()
    assert "<URL_1>" in fresh.redact("see acme.co.uk, or write to jane@acme.com").text
