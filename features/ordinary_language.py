"""OrdinaryLanguage: spans that a network takes for names, and that identify nobody."""

from __future__ import annotations

import re
from collections.abc import Collection

LETTERS = re.compile(r"[^\W\d_]+")
ENDINGS = ("s", "es", "ed", "ing", "ly", "er", "est", "y", "ers")
# Who stands behind one of these is where somebody works, or whom they are.
BELONGING = re.compile(
    r"(?i)\b(?:(?<!\blook )(?<!\blooking )at|for|from|with|by|of|behalf|company|firm|employer"
    r"|client|customer|called|named|join(?:ed|ing)?|represent(?:ing)?|bei|von|für|firma|chez|pour|entreprise|en|para|empresa)"
    r"[:\s]+(?:the\s|our\s|my\s|a\s|der\s|die\s|la\s|el\s)?$"
)
# Who buys at a well-known company does not work there; who buys something for people at it may.
GOODS = r"(?:\s(?:it|this|that|them|these|those|one|some|more|again|here|online|directly))*"
BOUGHT = re.compile(
    r"(?i)\b(?:bought|buy(?:ing)?|purchas(?:e|ed|ing)|(?<!in )order(?:ed|ing)?|shop(?:ped|ping)?)"
    rf"{GOODS}\s(?:at|from)\s$"
)
BOUGHT_BEFORE = 48  # characters in which that stands
# Short for something else, though they look like somebody's initials.
NO_INITIALS = frozenset({"U.S", "U.S.A", "U.K", "E.U", "U.N", "i.e", "e.g"})
NOON = re.compile(r"\d\s?[AaPp]\.[Mm]$")
# Only behind these is a word that is written small surely no name: `the cook`, `this summer`, and
# `have to cook`, but not `talk to cook`, nor `my love to hope`.
ORDINARY_BEFORE = re.compile(
    r"(?i)\b(?:the|an?|this|(?<!at )last|next|every|each|some|any|very"
    r"|(?:able|easy|easier|energy|ha(?:d|s|ve|ving)|how|hot|late|lazy|like|mood|need(?:ed|s)?|ready"
    r"|tired|tr(?:y|ied|ies|ying)|used|want(?:ed|s)?) to)\s$"
)
ORDINARY_WITHIN = 24  # characters in which such a word stands
# Before what somebody does, in capitals too, these are no names: `Junior Developers`.
RANKS = {"assistant", "associate", "chief", "deputy", "head", "junior", "lead", "major"}
RANKS |= {"principal", "senior"}
NEXT_WORD = re.compile(r"[ ]([^\W\d_]+)")
BEFORE = 24  # characters in which such a word stands
EDGES = " \t>*-"
LIST_ITEM = re.compile(r"\d{1,2}[.)]\s*")
LISTED = re.compile(r"[ \t>*-]*\d{1,2}[.)]\s")  # a line of a list
STREET_WORD = re.compile(
    r"(?i)street|\bst\b|road|\brd\b|avenue|\bave\b|lane|\bln\b|drive|\bdr\b|court|\bct\b|place|\bpl\b"
    r"|square|way\b|boulevard|blvd|parkway|highway|terrace|close|crescent|gardens|corner|box|suite"
    r"|apt|floor|flat|unit|stra(?:ß|ss)e|str\b|weg\b|platz|gasse|allee|\brue\b|calle|\bvia\b|plaza"
)
MEASURE = re.compile(
    r"(?i)\d\s?(?:gb|tb|mb|ghz|mhz|kg|lbs?|cm|mm|km|ml|kw|hz|px|pcs|pieces|%)\b"
    r"|^\d+\s?x\s|\d\s?x\s?\d|[^\W\d]\s\d+\.\d"
)
# Products, brands, techniques and places that millions name: not in a dictionary, and nobody's.
WELL_KNOWN = frozenset(
    """
    adidas adobe africa ai airbnb airtable ajax alexa alibaba amazon america amex android
    angular ansible apache api apis apple asana asia asus atlassian audi aws azure b2b b2c bing
    bitcoin bluetooth bmw boeing bosch brexit canva ceo cfo chatgpt chrome cisco citroen claude
    cmo coca cola confluence continental coo copilot cortana covid crm csv cto dell deloitte
    discord django docker docusign dropbox dyson ebay echo edge erp ethereum etsy europe evian
    excel expedia facebook fedex fiat figma firefox fitbit flask ford freshdesk fujitsu gcp gdpr
    gemini github gitlab gmail golang google gopro grafana gti gtx gucci hadoop hewlett hipaa
    honda hr html http https huawei hubspot hue hyundai ibm ikea insta instagram intel intercom
    ios ipad iphone iso it java javascript jenkins jira jquery json kafka kia kindle klarna
    kotlin kpi kubernetes lego lenovo lexus linkedin linux lite logitech looker ltd lufthansa
    macbook magento mailchimp marketo mastercard max mazda mcdonalds mckinsey mercedes michelin
    microsoft miele mini miro ml mongodb motorola mysql nasdaq nespresso nestle netflix netsuite
    nike nintendo nissan node nodejs nokia notion nutella nvidia odoo okta oktoberfest onedrive
    openai oracle outlook pandas paypal pdf peloton pepsi perl peugeot philips photoshop php
    pinterest pipedrive playstation plus porsche postgres postgresql powerpoint prada pro
    prometheus python pytorch qualcomm quickbooks react reddit redis renault roi rolex ruby
    ryanair saas salesforce samsung sap sdk seat selenium seo servicenow shopify siemens siri
    skoda skype slack snapchat snowflake soc sony spotify sql squarespace ssl starbucks stripe
    subaru suzuki swift tableau target tensorflow tesla tiktok toyota trello tripadvisor
    tupperware twilio twitter typeerror typescript uber ubuntu unicef unilever unix ups usb
    vercel visa vmware volkswagen volvo vue walmart whatsapp wifi wikipedia windows woocommerce
    wordpress workday xbox xero xiaomi xml yahoo yamaha youtube zapier zara zendesk zoho zoom
    """.split()  # noqa: SIM905  # to be read
)


class OrdinaryLanguage:
    """A dictionary of words that are hardly ever a name, and how they stand in a text."""

    def __init__(
        self,
        words: Collection[str],
        products: Collection[str] = frozenset(),
        small: frozenset[str] = frozenset(),
    ) -> None:
        """All in lower case.

        words: of a dictionary, products: of tools and brands; nobody's name. small: names too, but
        written small, and where such a word stands, they mean nobody (`this summer`).
        """
        self._words = words
        self._products = products
        self._small = small

    def holds(self, text: str, start: int, end: int, entity_type: str) -> bool:
        """True where characters start to end say nothing of a person, whatever a network says.

        entity_type: what the network says they are.
        """
        value = text[start:end]
        if entity_type == "STREET_ADDRESS":
            return self._is_no_address(value) or self._is_list_item(text, start, value)
        if entity_type == "PERSON":
            return self._is_nobody(text, start, value) or self._is_rank(text, value, end)
        if entity_type != "ORGANIZATION" or any(map(str.isdigit, value)):
            return False
        words = LETTERS.findall(value)
        if value.islower():
            return all(self._is_ordinary(word) for word in words)
        is_shop = all(self._is_well_known(word.lower()) for word in words)
        return self._are_known(words) and not self._is_whose(text, start, end, is_shop=is_shop)

    def _is_nobody(self, text: str, start: int, value: str) -> bool:
        """A product's words, alone or with a dictionary's; these alone are names too often."""
        bare = value.rstrip(".")
        if bare in NO_INITIALS or NOON.search(text, max(0, start - 2), start + len(bare)):
            return True
        if value in self._small:
            before = max(0, start - ORDINARY_WITHIN)
            return ORDINARY_BEFORE.search(text, before, start) is not None
        words = [word.lower() for word in LETTERS.findall(value)]
        rest = [word for word in words if word not in self._products]
        return len(rest) < len(words) and all(map(self._is_exactly_ordinary, rest))

    def _is_rank(self, text: str, value: str, end: int) -> bool:
        after = NEXT_WORD.match(text, end) if value.lower() in RANKS else None
        return bool(after and after[1].istitle() and self._is_ordinary(after[1].lower()))

    def _is_no_address(self, value: str) -> bool:
        if MEASURE.search(value):
            return True
        if any(map(str.isdigit, value)) or STREET_WORD.search(value):
            return False
        return all(self._is_ordinary(word.lower()) for word in LETTERS.findall(value))

    @staticmethod
    def _is_list_item(text: str, start: int, value: str) -> bool:
        """`3. Origami` below or above another item, and nothing in it that a street has.

        By itself it may be a house number as some write it: `3. Abbey Mews`.
        """
        item = LIST_ITEM.match(value)
        line = text.rfind("\n", 0, start) + 1
        if not item or text[line:start].strip(EDGES):
            return False
        before, after = text.rfind("\n", 0, max(0, line - 1)) + 1, text.find("\n", start) + 1
        has_neighbour = (line > 0 and LISTED.match(text, before, line)) or (
            after > 0 and LISTED.match(text, after)
        )
        rest = value[item.end() :]
        is_street = any(map(str.isdigit, rest)) or STREET_WORD.search(rest)
        return bool(has_neighbour) and not is_street

    def _are_known(self, words: list[str]) -> bool:
        """One word is known if millions say it; of two or more a dictionary is enough."""
        lower = [word.lower() for word in words]
        if len(lower) == 1:
            return self._is_well_known(lower[0])
        return all(self._is_well_known(word) or self._is_exactly_ordinary(word) for word in lower)

    def _is_well_known(self, word: str) -> bool:
        return word in WELL_KNOWN or word in self._products

    def _is_exactly_ordinary(self, word: str) -> bool:
        """Stricter than in small letters: `Jones` is no plural, and `Carly` not like a carl."""
        stem = word.removesuffix("ing")
        return word in self._words or (
            stem != word and (stem in self._words or stem + "e" in self._words)
        )

    @staticmethod
    def _is_whose(text: str, start: int, end: int, *, is_shop: bool) -> bool:
        """True where it is somebody's company: by the word before it, or on a line of its own."""
        if BELONGING.search(text, max(0, start - BEFORE), start):
            return not (is_shop and BOUGHT.search(text, max(0, start - BOUGHT_BEFORE), start))
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", end)
        rest = text[line_start:start] + text[end : line_end if line_end >= 0 else len(text)]
        return "\n" in text and not any(map(str.isalnum, rest))

    def _is_ordinary(self, word: str) -> bool:
        if word in self._words or len(word) < 3:
            return True
        stems = [word.removesuffix(ending) for ending in ENDINGS if word.endswith(ending)]
        return any(
            stem in self._words
            or stem + "e" in self._words
            or (len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in self._words)
            for stem in stems
        )
