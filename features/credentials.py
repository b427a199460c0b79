"""Credentials: keys, tokens, passwords, and runs that nobody can read."""

from __future__ import annotations

from features.patterns import PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import Unbroken, words

VENDOR_PREFIX = r"""(?: gh[pousr]_ | github_pat_ | gl(?:pat|ptt|dt|rt)- | xox[abeprs]- | xapp- |
    AKIA | ASIA
    | AIza | ya29\. | hf_ | npm_ | pypi- | dop_v1_ | shp(?:at|ca|pa|ss)_ | sq0(?:atp|csp)- | whsec_
    | SG\. | key- | EAAC | EAAG | dapi | lin_api_ | ntn_ | secret_ | rzp_(?:live|test)_ | GOCSPX-
    | pat[A-Za-z\d]{14}\. | sbp_ | PMAK- | figd_ | glsa_ | hvs\. | AGE-SECRET-KEY- | nfp_ | tfp_ |
    r8_
    | xai- | gsk_ | pplx- )"""
KEYWORD = r"""\b(?:password|passwd|passphrase|passwort|passcode|pwd|kennwort|mot[ ]de[ ]passe|mdp
    |contraseña|clave|senha|parola[ ]d'ordine|wachtwoord|hasło|lösenord|secret|credentials?
    |api[ _-]?key|apikey|(?:access|secret|private|license|licence|encryption|subscription
    |account)[ _-]?key
    |(?:access|auth|session|refresh|bot|id|api|security)[ _-]?token|token|client[ _-]?secret|otp|tan
    |(?:verification|security|door|alarm|gate|entry|lock|safe)[ ]code|cvv2?|cvc2?|cvn
    |(?<!-)pin(?:[ ]?code|[ ]?nummer)?
    |aws_secret_access_key|seed[ ]phrase)(?![^\W_])"""
NO_VALUE = r"""(?!(?:too|not|no|required|needed|wrong|expired|weak|strong|safe|secure|missing
    |incorrect
    |invalid|lost|forgotten|the|a|an|to|in|on|for|what|that|very|always|never|still|set|stored|saved
    |hashed|optional|mandatory|nicht|falsch|zu|ein|kein|reset|changed|same|only|being|used|good
    |valid|such|until|yes|so|really|also|now|here|just|my|your|our|this|it|one|made|broken|gone)
    (?:[\s.,;:!?)]|\Z))"""
CREDENTIALS = PatternSet(
    "CREDENTIAL",
    "Credentials",
    0.85,
    (
        Shape(
            r"(?<![\w-]) (?:sk|pk|rk|ak|AC|SK)[-_](?:(?:live|test|proj|ant|or)[-_])?[\w-]{16,}+",
            Unbroken(19),
        ),
        Shape(rf"(?<!\w) (?-i:{VENDOR_PREFIX}) (?=[\w.-]{{0,40}}\d)[\w.=-]{{12,}}+", Unbroken(15)),
        Shape(r"(?<![\w.-])eyJ[\w-]{8,}+ \.[\w-]++ (?:\.[\w-]*+)?", words("eyj")),
        Shape(
            r"\b(?:bearer|basic|token)[ ]{1,3}(?=[\w.~+/=-]{0,60}\d)[\w.~+/=-]{12,}+",
            words("bearer", "basic", "token"),
        ),
        Shape(r"\bbearer[ ]{1,3}[\w.~+/=-]{8,}+", words("bearer")),
        Shape(
            r"-----BEGIN[ ][A-Z \d]{3,40}----- [^-]*+ (?:-----END[ ][A-Z \d]{3,40}-----)?",
            words("-----begin"),
        ),
        Shape(
            r"\bssh-(?:rsa|ed25519|dss)[ ]AAAA[\w+/=]{16,}+ (?:[ ][\w.@-]{1,80})?", words("ssh-")
        ),
        Shape(
            r"""\b(?:accountkey|sharedaccesskey|sig|signature|access_token
                |client_secret)=[\w%+/=.-]{8,}+""",
            words("accountkey", "sharedaccesskey", "sig=", "signature=", "_token=", "_secret="),
        ),
        # No known prefix: letters and digits mixed, longer than any word or product code.
        Shape(
            r"""(?<![\w+/=-]) (?=[A-Za-z+/=_-]{0,40}\d) (?=[\d+/=_-]{0,40}[A-Za-z])
            [A-Za-z0-9+/_]{24,}+ ={0,2}""",
            Unbroken(24),
        ),
        Shape(r"(?<![\w+/=-]) [A-Za-z0-9+/=_-]{64,}+", Unbroken(64)),
    ),
)

IS = r"(?:is|ist|est|es|é|lautet)\b"
KEYWORDED = PatternSet(
    "CREDENTIAL",
    "KeywordedCredentials",
    0.85,
    (
        rf"""(?:[ ]?{IS})? ["']? [ ]{{0,2}} [:=]{{1,2}}>? [ ]{{0,2}} (?P<pii> \S{{3,}}+ )""",
        rf"[ ]{IS} [ ]{{1,2}} (?P<pii> {NO_VALUE} \S{{3,}}+ )",
        r"[ ]{1,2} (?P<pii> [^\s,;:.\d]{0,40}+\d[^\s,;]{3,}+ )",
    ),
    after=KEYWORD,
)
LOGINS = PatternSet(
    "CREDENTIAL",
    "Logins",
    0.95,
    (
        Shape(
            r"""(?<![a-z]) [a-z][a-z0-9+]{1,20}:// [^\s:@/]{0,100}+ : [^\s@/]{1,100}+ @
                [^\s"'<>]++""",
        ),
    ),
    needs=words("://"),
)

LONGEST_READABLE = 200  # characters without a blank
UNREADABLE = PatternSet(
    "UNREADABLE",
    "LongRuns",
    0.1,
    (rf"\S{{{LONGEST_READABLE},}}+",),
    needs=Unbroken(LONGEST_READABLE),
)


def recognizers() -> list[Recognizer]:
    """Recognizers of credentials and of what nobody can read."""
    return [Patterns(CREDENTIALS), Patterns(KEYWORDED), Patterns(LOGINS), Patterns(UNREADABLE)]
