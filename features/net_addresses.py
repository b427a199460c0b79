"""Addresses on the net: e-mail, web, IP and MAC addresses, names on social networks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from features.patterns import Found, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import AnyOf, Searched, outlines, words

LOCAL = r"[\w.!\#$&'*+/=?^`{|}~-]"
DOT = r"(?: \. | [ ]\.[ ] | [ ]?[(\[{][ ]?dot[ ]?[)\]}][ ]? | [ ]dot[ ] )"
TLD = r"(?:com|org|net|info|biz|dev|app|edu|gov|[a-z]{2})\b"
EMAILS = PatternSet(
    "EMAIL_ADDRESS",
    "EmailAddresses",
    0.95,
    (
        Shape(
            rf"""(?<!{LOCAL}) (?:[a-z-]{{1,10}}=)? [!\#$&'*/=?^`{{|}}~.-]*+
            (?P<pii> {LOCAL}++ (?:@|%40) (?:[\w-]++ (?:\.[\w-]++)*+ | \[[\d.:a-f]{{7,45}}\]) )""",
            words("@", "%40"),
        ),
        Shape(r'"[^"@\n]{1,64}+"@[\w-]++(?:\.[\w-]++)*+', words("@")),
        Shape(
            rf"(?<![\w.+-]) [\w.+-]++ [ ]?[(\[{{][ ]?at[ ]?[)\]}}][ ]? [\w-]++ (?:{DOT}[\w-]++)*+",
            words("at)", "at]", "at}", "at )", "at ]", "at }"),
        ),
        Shape(r"(?<![\w.+-]) [\w.+-]++ [ ]at[ ] [\w-]++ (?:[ ]dot[ ][\w-]++)++", words(" dot ")),
        Shape(
            rf"""(?<![\w.+-]) [\w.+-]++ (?: [ ]?@[ ] | [ ]@(?=[\w.-]{{1,60}}\.{TLD}) ) [\w-]++
                (?:(?:\.|[ ]\.[ ])[\w-]++)++""",
            words(" @", "@ "),
        ),
    ),
    honest=lambda match: any(c.isalpha() or c == "[" for c in re.split("@|%40", match)[-1]),
)

NO_HANDLES = r"""(?!(?:noon|home|work|school|night|all|here|channel|everyone|least|once|midnight
    |media
    |property|import|angular|types|param|return|override|todo|dawn|lunch|dinner|some|any|the|my|our
    |your)\b|[\w.-]{1,30}/)"""
NETWORKS = r"""(?:skype|telegram|tg|insta(?:gram)?|twitter|discord|wechat|weixin|snapchat|snap
    |tiktok
    |linkedin|github|gitlab|facebook|fb|ig|mastodon|bluesky|threads|reddit|youtube|twitch|xing|vk
    |line|kakao|signal|slack|steam|handle|user[ ]?name|nick(?:name)?|screen[ ]?name|benutzername
    |nutzername|pseudo|usuario|utente|login)"""
HANDLES = PatternSet(
    "SOCIAL_HANDLE",
    "SocialHandles",
    0.8,
    (
        Shape(
            rf"(?<![\w@./+-]) @{NO_HANDLES} [^\W\d](?:[.-]?\w){{1,30}}+(?:@[\w-]+(?:\.[\w-]+)++)?",
            words("@"),
        ),
        Shape(r"(?<![\w/.-]) /?u/[\w-]{3,20}\b", words("u/")),
        Shape(r"(?<![\w.]) [a-z][\w.]{1,31}\#\d{4}(?!\d)", words("discord", "battle")),
    ),
    needs=words("@", "#", "u/"),
)

NAMED_HANDLES = PatternSet(
    "SOCIAL_HANDLE",
    "NamedHandles",
    0.8,
    (
        r"""(?!(?<=\bline)[ ]\d{1,4}[.:]?(?![\w.:\#-]))  # of a program
            (?:[ ](?:handle|id|name|username|user|account|profile))?
            (?: [ ]?[:=][ ]? (?P<sure>) | [ ](?:is|ist|est|es)[ ] | [ ](?:as|under|unter|als)[ ] |
            [ ] )
            (?P<pii> @?(?: (?=[\w.-]{0,30}[\d_.]) (?!(?:19|20)\d\d\b)
                [\w.:\#-]{3,40}+(?<![.:])
            | (?(sure) [\w.:\#-]{3,40}+(?<![.:]) (?=[ ]?(?:[,;.!?)\n|/]|\Z)) | (?!) ) ) )
            (?![\w@/])""",
    ),
    after=rf"\b{NETWORKS}\b",
)
MACS = PatternSet(
    "IP_ADDRESS",
    "MacAddresses",
    0.85,
    (
        Shape(
            r"""(?<![\w:-]) [0-9a-f]{2} (?: (?::[0-9a-f]{2}){5,7} | (?:-[0-9a-f]{2}){5,7} )
                (?![\w:-])"""
        ),
        r"(?<![\w.]) [0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4} (?![\w.])",
    ),
    needs=Searched(re.compile(r"[:-][0-9a-fA-F]{2}[:-]|\.[0-9a-fA-F]{4}\.")),
)


class IpAddresses(Recognizer):
    """IPv4 and IPv6 addresses; four small numbers after "version" are one."""

    V4 = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
    V6 = re.compile(
        r"(?<![0-9a-f:])[0-9a-f]{0,4}+(?::[0-9a-f]{0,4}+){2,8}+(?:\.\d{1,3}){0,3}", re.I
    )
    VERSION = re.compile(
        r"(?:\bv|version|release|build|firmware|\bver\.?)[ :]{0,2}$", re.IGNORECASE
    )
    LARGEST_MAJOR = 31

    def __init__(self) -> None:
        super().__init__("IP_ADDRESS", "IpAddresses", outlines("0.0", "::", ":0", ":a"))

    def find(self, text: str) -> Iterator[Found]:
        for match in self.V4.finditer(text):
            parts = [int(part) for part in match[0].split(".")]
            if max(parts) < 256 and not self._is_version(text, match.start(), parts[0]):
                yield *match.span(), 0.9
        for match in self.V6.finditer(text) if text.count(":") > 1 else ():
            address = match[0] if match[0].endswith("::") else match[0].rstrip(":")
            if len(address) > 3 and _is_ip(address):
                yield match.start(), match.start() + len(address), 0.9

    def _is_version(self, text: str, start: int, major: int) -> bool:
        before = self.VERSION.search(text, max(0, start - 12), start)
        return before is not None and major <= self.LARGEST_MAJOR


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


TRAILING = ".,;:!?)'\"]}>"  # ends the sentence, not the address


# A scheme; or a host's last label, which begins with a letter.
URL_SIGNS = AnyOf(("://", "www"), ("a.a", "0.a", "-.a", "_.a"))


class Urls(Recognizer):
    """Web addresses, with a scheme or without; a bare host only under a real top-level domain."""

    SCHEME = re.compile(
        r"(?:(?<![a-z])[a-z][a-z0-9+]{1,10}://|(?<![\w.])www\d?\.)[^\s<>\"]++", re.I
    )
    HOST = re.compile(
        r"(?<![\w.@/-])(?P<host>[^\W_][\w-]*+(?:\.[\w-]++)++)(?P<path>(?::\d{2,5})?[/?#][^\s<>\"]*+)?"
    )
    # Ends of file names and of sentences without a space, far more often than of hosts.
    NOT_ALONE = frozenset({"cc", "css", "js", "md", "mov", "ps", "py", "rs", "sh", "so", "zip"})

    def __init__(self, top_level_domains: frozenset[str]) -> None:
        super().__init__("URL", "Urls", URL_SIGNS)
        self._top = top_level_domains

    def find(self, text: str) -> Iterator[Found]:
        for match in self.SCHEME.finditer(text):
            yield match.start(), match.start() + len(match[0].rstrip(TRAILING)), 0.9
        for match in self.HOST.finditer(text):
            if self._is_host(match["host"], alone=match["path"] is None):
                yield match.start(), match.start() + len(match[0].rstrip(TRAILING)), 0.7

    def _is_host(self, host: str, *, alone: bool) -> bool:
        last = host.rpartition(".")[2]
        if last.lower() not in self._top:
            return False
        if not alone:
            return True
        shouted = host.isupper() and last != "NET"  # ASP.NET is a product
        return (last.islower() or shouted) and last.lower() not in self.NOT_ALONE


def _top_level_domains() -> frozenset[str]:
    """The last labels of the public suffix list that tldextract ships: nothing is fetched."""
    from tldextract import TLDExtract

    bundled = TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    return frozenset(suffix.rpartition(".")[2] for suffix in bundled.tlds)


def recognizers() -> list[Recognizer]:
    """Recognizers of addresses on the net."""
    return [
        Patterns(EMAILS),
        Urls(_top_level_domains()),
        IpAddresses(),
        Patterns(MACS),
        Patterns(HANDLES),
        Patterns(NAMED_HANDLES),
    ]
