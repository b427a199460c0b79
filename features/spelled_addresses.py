"""Spelled addresses: `jane (at) acme dot com` and other ways around `jane@acme.com`.

The signs stand in brackets, or in words (English, German, French, Spanish), or between blanks.
Brackets alone say that an address is meant; words do so where a top-level domain ends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.edit import Edit, in_lower_case

AT_WORDS = ("at", "ät", "arroba", "arobase", "klammeraffe")
DOT_WORDS = ("dot", "punkt", "point", "punto", "ponto")
SIGNS = dict.fromkeys((*AT_WORDS, "@"), "@") | dict.fromkeys((*DOT_WORDS, "."), ".")
LOCAL_SIGNS = dict.fromkeys((*DOT_WORDS, "."), ".") | {
    **dict.fromkeys(("underscore", "unterstrich", "underline"), "_"),
    **dict.fromkeys(("dash", "hyphen", "minus", "tiret"), "-"),
    "plus": "+",
}
CUES = (*(f" {word} " for word in (*DOT_WORDS, ".", *AT_WORDS) if word != "at"), "@ ", " @")
BRACKET_CUE = re.compile(r"[(\[{<][ ]?(?:[aä@:.dk]|p[ou])|h(?:xx|\*\*)p")
BRACKETED = re.compile(
    rf"""(?<=\w) [ ]? [(\[{{<] [ ]? ({"|".join(map(re.escape, SIGNS))}) [ ]? [)\]}}>] [ ]? (?=\w)
    | (?<=[sp]) \[ (:(?://)?) \] (?=[\w/]) | \b (h(?:xx|\*\*)p) (?=s?(?::|\[:))""",
    re.VERBOSE,
)
LABEL = r"[^\W_][\w-]{0,62}+"
DOT = rf"(?:[ ](?:{'|'.join(DOT_WORDS)})[ ]|[ ]\.[ ]|\.)"
HOST = re.compile(rf"(?<![\w.-]){LABEL}(?:{DOT}{LABEL}){{1,5}}+(?!'\w)")
DOTS = re.compile(DOT)
AT_BEFORE = re.compile(rf"(?:[ ](?:{'|'.join(AT_WORDS)})[ ]|[ ]{{0,3}}@[ ]{{0,3}})\Z")
LONGEST_AT = 16
LOCAL = r"[\w.+-]{1,64}+"
LOCAL_SIGN = re.compile(rf"[ ](?:{'|'.join(map(re.escape, LOCAL_SIGNS))})[ ]")
# Read from its end, so that every character is looked at once.
LOCAL_BACKWARDS = re.compile(
    rf"{LOCAL}(?:[ ](?:{'|'.join(re.escape(s[::-1]) for s in LOCAL_SIGNS)})[ ]{LOCAL}){{0,4}}+"
)
LONGEST_LOCAL = 100
LEAST_LABEL = 2
CLAUSE_END = re.compile(r"[ ]?(?:\Z|[,;!?\n)\]>\"']|\.(?:\s|\Z))")

TOP_LEVEL = frozenset(
    """
    com net org edu gov mil int info biz name pro io ai co app dev tech me tv cc cloud online shop
    store site xyz agency group gmbh berlin paris london nyc email eu asia example test invalid
    ac ae ar at au be bg br ca ch cl cn cy cz de dk ee es fi fr gr hk hr hu id ie il in is it jp kr
    la li lt lu lv ma mt mx my ng nl no nz pe ph pk pl pt ro rs ru sa se sg si sk su th tn to tr tw
    ua uk us uy ve vn za
    """.split()  # noqa: SIM905  # to be read
)
# Words of a language, too: where the signs are ordinary words, they are read as words.
ENGLISH_WORDS = frozenset(
    "is so to as am my group name test email store shop site online".split()  # noqa: SIM905
)
ROMANCE_WORDS = frozenset("de es la net me si no se test".split())  # noqa: SIM905
SURE_ALONE = frozenset("com org io ai co app dev eu uk de fr ch nl es".split())  # noqa: SIM905
SURE_AFTER_POINT = frozenset({"com", "org", "io"})
NO_LABELS = frozenset(
    """
    a an and any at been by during each early every for from her his in is its la le les my no of on
    or our per post pre red some that the their this un une with your
    """.split()  # noqa: SIM905
)
NO_MAILBOXES = frozenset(
    """
    am are arrive available based be been employed find found her him hosted is it live located
    look looked looking looks me meet more people registered site sits staff stay team them there
    us visit was website well were work worked working works you
    """.split()  # noqa: SIM905
)


def bracketed_signs(text: str) -> Iterator[Edit]:
    """The edits that read `(at)`, `[dot]`, `[.]` and `hxxp` as signs of an address."""
    lower = in_lower_case(text)
    for sign in BRACKETED.finditer(lower) if BRACKET_CUE.search(lower) else ():
        word, colon, _ = sign.groups()
        yield (*sign.span(), SIGNS[word] if word else colon or "http")


def spelled_addresses(text: str) -> Iterator[Edit]:
    """The edits that read signs in words, or between blanks, as those of an address."""
    lower = in_lower_case(text)
    if not any(cue in lower for cue in CUES):
        return
    done = 0
    for host in HOST.finditer(lower):
        at = AT_BEFORE.search(lower, max(done, host.start() - LONGEST_AT), host.start())
        edits = _address_edits(text, at, host, done) if at else []
        for edit in edits or _host_edits(host):
            yield edit
            done = edit[1]


def _address_edits(text: str, at: re.Match[str], host: re.Match[str], done: int) -> list[Edit]:
    """Of `jane` `at` a host; none where that is not an address."""
    lower = host.string
    local = LOCAL_BACKWARDS.match(lower[max(done, at.start() - LONGEST_LOCAL) : at.start()][::-1])
    dots = list(DOTS.finditer(lower, *host.span()))
    spelled = any(dot[0] != "." for dot in dots)
    handle = at[0].startswith(" ") and at[0].endswith("@") and not spelled
    if local is None or handle:
        return []
    start = at.start() - local.end()
    sign = text[at.start() : at.end()].strip()
    shouted = sign == "AT" and not text[start : at.start()].isupper()
    if sign.lower() == "at" and not shouted:
        if not spelled or lower[start : at.start()] in NO_MAILBOXES or _label(host) in NO_LABELS:
            return []
        ends = [dot for dot in dots if _is_top_level(dot, host)]
    else:
        ends = [dot for dot in dots if _after(dot, host) in TOP_LEVEL]
    if not ends:
        return []
    signs = LOCAL_SIGN.finditer(lower, start, at.start())
    written: list[Edit] = [(*sign.span(), LOCAL_SIGNS[sign[0].strip()]) for sign in signs]
    return _changed(lower, [*written, (*at.span(), "@"), *_dots_until(ends[-1], dots)])


def _host_edits(host: re.Match[str]) -> list[Edit]:
    """Of a host without a mailbox: `acme dot com`."""
    if _label(host) in NO_LABELS or len(_label(host)) < LEAST_LABEL:
        return []
    dots = list(DOTS.finditer(host.string, *host.span()))
    ends = [dot for dot in dots if dot[0] != "." and _after(dot, host) in _sure_after(dot)]
    return _changed(host.string, _dots_until(ends[-1], dots)) if ends else []


def _dots_until(last: re.Match[str], dots: list[re.Match[str]]) -> list[Edit]:
    return [(*dot.span(), ".") for dot in dots if dot.start() <= last.start()]


def _is_top_level(dot: re.Match[str], host: re.Match[str]) -> bool:
    last = _after(dot, host)
    if last in ROMANCE_WORDS and dot[0].strip() in {"point", "punto"}:
        return False
    if last in ENGLISH_WORDS and not CLAUSE_END.match(host.string, dot.end() + len(last)):
        return False
    return last in TOP_LEVEL


def _sure_after(dot: re.Match[str]) -> frozenset[str]:
    return SURE_AFTER_POINT if dot[0].strip() in {".", "point", "punto"} else SURE_ALONE


def _label(host: re.Match[str]) -> str:
    return DOTS.split(host[0], maxsplit=1)[0]


def _after(dot: re.Match[str], host: re.Match[str]) -> str:
    following = DOTS.search(host.string, dot.end(), host.end())
    return host.string[dot.end() : following.start() if following else host.end()]


def _changed(lower: str, edits: list[Edit]) -> list[Edit]:
    return [(start, end, new) for start, end, new in edits if lower[start:end] != new]
