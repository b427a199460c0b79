"""Homoglyphs: letters of other scripts that stand for the Latin ones they look like.

Single-letter confusables of Unicode (UTS 39, confusables.txt) in the scripts that people have
fonts for, without those that NFKC reads. A word is read in Latin where all of it looks Latin and
either some of it is, or the text is: a Greek or Russian word with one letter of its own stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from features.edit import Edit

# ruff: noqa: RUF001  # look-alikes are the subject
ALIKE = (
    ("АВЕКМНОРСТХУЅІЈԌԜѴҮӀЁЇ", "ABEKMHOPCTXYSIJGWVYIËÏ"),  # Cyrillic
    ("аеорсухѕіјһԁԛԝѵүӏёї", "aeopcyxsijhdqwvylëï"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϜϺͿΆΈΊΌΎΪΫ", "ABEZHIKMNOPTYXFMJÁÉÍÓÝÏŸ"),  # Greek
    ("αορνιυϳάόίύϊϋ", "aopviujáóíúïü"),
    ("ՕՍՏցհոսօքզ", "OUSghnuofq"),  # Armenian
    ("ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᏔᎩᏃᎥᏂᏏᏧ", "ABCDEGHJKLMPRSTVWYZihbd"),  # Cherokee
    ("ⲤⲎⲔⳐⲘⲚⲞⲢⲦⲬⲨⲒⲥⲟⲣ", "CHKLMNOPTXYIcop"),  # Coptic
    ("ꓮꓐꓚꓓꓰꓝꓖꓧꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜꓲ", "ABCDEFGHJKLMNOPRSTUVWXYZI"),  # Lisu
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"),  # small capitals
    ("ɑɡꞙꬵƽꞵᴑꭎꭒ", "agffsbouu"),  # phonetic
)
# Less alike: read so only within a word that has Latin letters.
ROUGHLY_ALIKE = (
    ("квмнтгпиьЬяз", "kbmhtrnubbrz"),
    ("κητχγσωβεςή", "kntxyowbesn"),
)
LATIN = str.maketrans("".join(a for a, _ in ALIKE), "".join(b for _, b in ALIKE))
ROUGHLY_LATIN = LATIN | str.maketrans(
    "".join(a for a, _ in ROUGHLY_ALIKE), "".join(b for _, b in ROUGHLY_ALIKE)
)
LOOKS_LATIN = re.compile(f"[{''.join(map(chr, ROUGHLY_LATIN))}]")
WORD = re.compile(r"[^\W\d_]++")
LATIN_LETTER = re.compile(r"[A-Za-zª-ɏḀ-ỿ]")
FOREIGN_LETTER = re.compile(r"[^\x00-ɏḀ-ỿ]")
GREEK_SMALL = re.compile(r"[α-ω]")
LEAST_LETTERS = 2  # of a word where other words are honest: a single one may be, too
LEAST_GREEK = 3  # fewer stand in formulas


def homoglyphs(text: str) -> Iterator[Edit]:
    """The edits that read look-alikes in Latin."""
    if text.isascii() or not LOOKS_LATIN.search(text):
        return
    words = Counter(WORD.findall(text))
    foreign = [w for w in words if not w.isascii() and FOREIGN_LETTER.search(w)]
    kept = sum(len(w) * words[w] for w in foreign if _is_foreign(w))
    mostly_latin = len(LATIN_LETTER.findall(text)) > kept
    least = 1 if mostly_latin and not kept else LEAST_LETTERS
    readings = {w: _reading(w, mostly_latin) for w in foreign if len(w) >= least}
    for word in WORD.finditer(text):
        if new := readings.get(word[0]):
            yield (*word.span(), new)


def _is_foreign(word: str) -> bool:
    """True for a word with a letter of its own script that looks like none of ours."""
    return FOREIGN_LETTER.search(word.translate(LATIN)) is not None


def _reading(word: str, mostly_latin: bool) -> str | None:
    if len(word) < LEAST_GREEK and GREEK_SMALL.search(word):
        return None
    mixed = LATIN_LETTER.search(word) is not None
    if not mixed and not mostly_latin:
        return None
    latin = word.translate(ROUGHLY_LATIN if mixed and mostly_latin else LATIN)
    return None if FOREIGN_LETTER.search(latin) else latin
