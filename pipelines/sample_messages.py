"""Sample messages: what the synthetic sample leads write, put together from templates of our own.

A message has an intent, from ready to buy to never again; greeting, context and signature say
nothing about it. Signatures and asides hold the lead's own name, phone and e-mail address, so that
redaction has work to do.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from enum import StrEnum


class Intent(StrEnum):
    """What a message says about buying."""

    HOT = "hot"  # decided, or all but
    WARM = "warm"  # likes it, wants to go on
    NEUTRAL = "neutral"  # a question that says nothing either way
    COOL = "cool"  # no need, no money, just looking
    DEAD = "dead"  # went elsewhere, or wants to be left alone


GREETINGS = ("", "", "Hi,", "Hello,", "Hi there,", "Good morning,", "Hey", "Hi {rep},",
    "Dear {rep},", "Hello team,", "Good afternoon,", "To whom it may concern,")  # fmt: skip

CONTEXTS = (
    "", "", "", "", "",
    "We run {n} {sites} around {city}.",
    "I am the {role} at {company}.",
    "{first} from {company} here.",
    "There are about {n} of us working shifts.",
    "My colleague {other} sent me your page.",
    "I read your article on {feature}.",
    "Today we plan our shifts {tool}.",
    "I saw your booth at the {fair} in {city}.",
    "We are a team of {n} in {city}.",
    "I spoke to {rep} on {weekday}.",
)  # fmt: skip

CORES: dict[Intent, tuple[str, ...]] = {
    Intent.HOT: (
        "We love it and need this live by {month}, the budget is approved.",
        "The trial was great, the whole team loves it and we would like to go ahead.",
        "You were the best of all we tried and we are happy to start in {month}.",
        "Our old contract ends in {month} and we are delighted to move to you.",
        "I love how easy {feature} is. We are ready to buy.",
        "We are very happy with the pilot, let's roll it out to all {n} people.",
        "Great demo with {rep}, everybody loved it and we want to sign.",
        "This is exactly what we have been looking for! We want to start in {month}.",
        "Your offer for {n} users is great, we are happy to accept it.",
        "Brilliant product, it saves us hours every week. We want the yearly plan.",
        "Good news, {other} said yes! We are really excited to start in {month}.",
        "It works perfectly for us and we would like to order for {n} people now.",
        "Everybody here is thrilled with {feature}, please send us the contract.",
        "We compared five products and yours is by far the best. We want it by {month}.",
        "Wonderful, {feature} does just what we need. Budget is approved, let's go.",
    ),
    Intent.WARM: (
        "It looks very good and we would love to see a demo on {weekday}.",
        "You are our favourite so far, we would like a quote for {n} people.",
        "I really like {feature} and would love to try it with my team.",
        "I am impressed, this could solve our biggest problem.",
        "Very interested, I like what I see! Please call me on {weekday}.",
        "{other} recommended you warmly and it does look great.",
        "We are excited about {feature} and hope to start a trial in {month}.",
        "Nice and simple, my managers like it a lot. We would like a quote for {n} users.",
        "We definitely need something better than planning {tool}, and yours looks perfect.",
        "I enjoyed the webinar very much, it fits us well.",
        "Lovely product, this would help us a lot. We plan to decide in {month}.",
        "The price is fair and {feature} looks great, we would like to see more.",
    ),
    Intent.NEUTRAL: (
        "Can you send me a price list for {n} users?",
        "Does {feature} work with our payroll system?",
        "Where is the data stored?",
        "Is there an app for older phones?",
        "What is the difference between the two plans?",
        "Do you have an office near {city}?",
        "How many people can share one account?",
        "I have a question about {feature}, please get back to me.",
        "Is the price per user or per site?",
        "Which languages does it come in?",
    ),
    Intent.COOL: (
        "Just looking around, we have no plans to buy anything.",
        "It is far too expensive and not worth it for a team of {n}.",
        "I am a student, not a customer. I don't want to buy anything.",
        "We have no budget for this, sorry.",
        "We don't need this, planning {tool} is fine for us.",
        "I only wanted the free template, not interested in more.",
        "Not worth the money, {feature} looks rather weak.",
        "Too complicated for us, my team would never use it.",
        "This is only for a school project, we are not buying.",
        "We are not convinced and decided not to go on.",
        "It lacks the one thing that we need, so it is no use to us.",
        "My boss {other} said no, there is no money for it.",
        "I was not impressed by {feature}, it feels slow and old.",
    ),
    Intent.DEAD: (
        "Please unsubscribe me, I am not interested.",
        "We did not like it and went with another vendor, please close my request.",
        "Stop calling me. I never asked for this and I don't want it.",
        "Remove me from your list, this is spam and I hate it.",
        "The trial was a disappointment, it crashed all the time and we gave up.",
        "Not interested. Please do not contact me again.",
        "We were unhappy with you and have signed with a competitor.",
        "Your support was terrible and nobody ever answered {other}. We are done.",
        "I never wanted this, it was a mistake. Delete my data.",
        "This is a waste of my time, {feature} does not work at all.",
        "We cancelled the project, it was a bad fit. Don't call again.",
        "Awful experience, we will never buy from you.",
        "Very bad product, {feature} lost all our data and we want nothing more from you.",
    ),
}

AFTERWARDS: dict[Intent, tuple[str, ...]] = {
    Intent.HOT: (
        "Call me on {phone} today, we can't wait!",
        "Very happy with it so far!",
        "Looking forward to it, please write to {email}.",
        "{other} loves it too and will sign for us.",
        "I am on {phone} all day, really excited.",
        "Thank you, great work!",
    ),
    Intent.WARM: (
        "You can reach me on {phone}, I would be happy to talk.",
        "I look forward to hearing from you!",
        "Please write to {email}, thanks a lot!",
        "{other} likes it too.",
        "Sounds great so far.",
    ),
    Intent.NEUTRAL: (
        "You can reach me on {phone}.",
        "Please answer to {email}.",
        "{other} is asking.",
        "No hurry.",
    ),
    Intent.COOL: (
        "No need to call {phone}, sorry.",
        "Please don't put {email} on a list.",
        "It is not for us.",
        "So no, thank you.",
        "{other} did not like it either.",
    ),
    Intent.DEAD: (
        "Do not call {phone} again.",
        "Take {email} off your list.",
        "I have told {rep} twice already, this is annoying.",
        "Very disappointed.",
        "Never again.",
    ),
}

SIGNATURES = (
    "", "", "",
    "\n{name}",
    "\nRegards\n{name}",
    "\nBest regards,\n{name}\n{role}, {company}",
    "\nThanks, {first}",
    "\n{name}, {phone}",
    "\nKind regards\n{name}\n{company}\n{phone}\n{email}",
    "\n- {first}",
)  # fmt: skip

SLOTS: dict[str, tuple[str, ...]] = {
    "month": ("March", "May", "June", "September", "October", "next month", "the new year"),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "feature": ("shift swapping", "the holiday planner", "the time clock", "the rota view",
        "the phone app", "overtime tracking", "the staff calendar"),
    "sites": ("cafes", "shops", "clinics", "warehouses", "hotels", "care homes", "gyms"),
    "city": ("Leeds", "Bristol", "Cork", "Lyon", "Hamburg", "Boston", "Perth", "Uppsala"),
    "role": ("operations manager", "owner", "HR lead", "head nurse", "shift leader", "CFO",
        "office manager", "general manager"),
    "tool": ("in a spreadsheet", "on paper", "on a whiteboard", "by e-mail", "in a group chat"),
    "fair": ("staffing fair", "retail days", "care expo", "hotel show"),
    "rep": ("Nadia", "Tom", "Priya", "Callum", "Ines"),
    "other": ("Jo Barker", "Samira Khan", "Pieter de Wit", "Lena Vogt", "Marcus Hale",
        "Aoife Byrne", "Diego Ramos", "Keiko Mori", "Hannah Osei", "Viktor Lund"),
}  # fmt: skip

CHAT_WORDS = {"please": "pls", "you": "u", "thanks": "thx", "because": "cos", "very": "v"}
WORD = re.compile(r"(?<![{\w])[a-z]{5,}(?![}\w])")  # a plain word, never a slot's name


def sample_message(rng: random.Random, intent: Intent, contact: Mapping[str, str]) -> str:
    """A message of that intent. `contact` fills: name, first, company, phone, email."""
    parts = [rng.choice(GREETINGS), rng.choice(CONTEXTS), rng.choice(CORES[intent])]
    if rng.random() < 0.5:
        parts.append(rng.choice(AFTERWARDS[intent]))
    body = _in_style(rng, " ".join(part for part in parts if part))
    slots = {slot: rng.choice(words) for slot, words in SLOTS.items()}
    slots |= {"n": str(rng.choice((12, 18, 25, 30, 40, 55, 60, 80, 120, 150, 200, 350)))}
    return (body + rng.choice(SIGNATURES)).format(**slots, **contact)


def _in_style(rng: random.Random, template: str) -> str:
    """As people type: mostly well, at times in a hurry. Slots, and so contact data, stay whole."""
    style = rng.random()
    if style < 0.15:
        template = template.lower().replace(".", "" if style < 0.05 else ".")
        words = (CHAT_WORDS.get(word, word) for word in template.split(" "))
        template = " ".join(words)
    elif style < 0.22:
        template = template.replace(". ", "! ").replace(" I ", " i ")
    if rng.random() < 0.25:
        template = _with_typo(rng, template)
    return template


def _with_typo(rng: random.Random, template: str) -> str:
    """One plain word with two letters swapped, or one dropped."""
    words = list(WORD.finditer(template))
    if not words:
        return template
    word = rng.choice(words)
    at = word.start() + rng.randrange(1, len(word[0]) - 2)
    swap = template[at + 1] + template[at] if rng.random() < 0.6 else template[at]
    return template[:at] + swap + template[at + 2 :]
