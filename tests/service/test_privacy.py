"""The privacy page says what the code does, and nothing that it did once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from service_fakes import small_release

from features.allow_list import AllowList
from features.redaction_policy import RedactionPolicy
from models.text_model import TextModel
from service.privacy import Keeping, policy_page, privacy_notice

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_the_page_shows_the_shipped_policy() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = page.partition("<!-- policy -->\n")[2].partition("<!-- /policy -->")[0]
    assert shown == policy_page(RedactionPolicy.shipped()), "paste `python -m service.privacy`"


def test_the_notice_names_the_live_releases_own_columns_and_llm() -> None:
    release = small_release()
    notice = privacy_notice(release, RedactionPolicy.shipped(), Keeping(None))
    columns = {part["what"]: part["columns"] for part in notice["processed"]}
    assert columns == {
        "structured columns": ["Visits", "Lead Source", "Newsletter"],
        "free text": ["Message"],
        "contact details": ["Email"],
    }
    assert notice["sent_to_an_llm"]["leaves_the_machine"] is False
    assert notice["redaction"]["goes"]["PERSON"] == "replace"
    assert "LOCATION" in notice["redaction"]["stays"]


def test_the_notice_says_what_was_learned_from_past_leads() -> None:
    text = TextModel({"dress": 1.0, "love": 1.2}, {"dress": 0.1, "love": 2.0}, 0.0, 600, 10)
    for model in (None, text):
        release = replace(small_release(), text=model)
        notice = privacy_notice(release, RedactionPolicy.shipped(), Keeping(None))
        learned = notice["learned_from_past_leads"]
        examples = [prompt.examples for prompt in release.llm.prompts.values()]
        assert learned["worked_examples_in_prompts"] == sum(map(len, examples))
        assert learned["words_in_the_text_model"] == (2 if model else 0)
        assert ("text model" in notice["automated_decision"]["by"]) is (model is not None)


def test_the_notice_shows_what_the_house_lets_stay() -> None:
    policy = RedactionPolicy.shipped().allowing(AllowList(("Velora",)))
    notice = privacy_notice(small_release(), policy, Keeping(None))["redaction"]
    assert notice["stays_though_called_like_somebody"] == ["Velora"]
    assert notice["policy"] == policy.version != RedactionPolicy.shipped().version


def test_the_notice_says_how_long_by_the_settings() -> None:
    policy = RedactionPolicy.shipped()
    kept = privacy_notice(small_release(), policy, Keeping(timedelta(days=90)))["kept"]
    assert kept["sealed_parts_and_fingerprints"].startswith("90 days")
    assert kept["answers_to_idempotency_keys"].startswith("24 hours")
