"""Names that the words around them give away: greetings, sign-offs, titles, mail headers."""

from __future__ import annotations

from features.patterns import UPPER, PatternSet, Shape
from features.recognizers import Patterns, Recognizer
from features.text_signs import words

NAME = r"[^\W\d_][^\W\d_'-]{0,30}+(?:['-][^\W\d_]{1,30}+){0,2}+"
CAPITALISED = rf"(?=[{UPPER}]){NAME}"
INITIAL = rf"[{UPPER}]\."
PARTICLES = r"""(?:(?:van|von|de|der|den|del|della|dos|da|do|di|la|le|el|al|bin|ibn|zu|zum|ten|ter
    |y|e)[ ]){0,3}"""
FULL_NAME = rf"""(?:{INITIAL}[ ]?){{0,2}}
    {CAPITALISED}(?:[ ]{{1,2}}(?:{INITIAL}[ ]){{0,2}}{PARTICLES}{CAPITALISED}){{0,3}}+"""
ANY_CASE = rf"{NAME}(?:[ ]{NAME}){{0,2}}+"
# Not names, where a name may stand: after a greeting, at a sign-off, before "here".
NOT_NAMES = frozenset(
    """
    sir sirs madam madame monsieur ma'am team teams there all everyone everybody folks guys
    people sales support customer customers service hiring manager managers both again friend
    friends colleague colleagues ladies gentlemen mate world partner partners anyone someone
    nobody company crew hi hello hey dear zusammen damen herren herr frau kollegen kolleginnen
    leute alle ihr sie euch dir dich kunde kunden vertrieb tous toutes messieurs mesdames à
    equipo todos todas señor señores señora equipe équipe tutti sig signore signora i we you
    they he she it a an the this that these those in for so much very advance bye soon later
    waiting looking please thanks thank cheers regards best kind warm lot help your my our here
    now right new not no yes ok okay maybe just only also and or but if when what who how why
    where can could would will do does did is are was were be been am have has had to from at of
    on with by as up out off over down back get got need want like know think see call write
    send mail email today tomorrow yesterday morning afternoon evening day night week noon
    monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december interested happy glad sorry sure fine
    good great german english french spanish italian indian american british european dutch
    polish swedish brazilian chinese japanese director head vp ceo cto cfo cio coo founder owner
    engineer developer senior junior lead chief marketing product project software data it hr
    accounts payable receivable billing reception facilities finance legal security recruiting
    procurement purchasing consultant analyst assistant student teacher president executive
    officer account office admin business salesforce hubspot question questions quote pricing
    price demo request inquiry information info update subject re fw fwd date note also btw fyi
    ps viele grüße gruß liebe freundliche mit vielen dank danke merci gracias saludos
    cordialement bonjour bonne journée hasta luego pronto bitte wir ich du der die das ein eine
    und oder aber nicht ist sind haben je tu il nous vous le la les un une et ou mais pas est yo
    nosotros el los las una y o pero no es son que por para con sin mr mrs ms mx miss dr prof
    mme mlle ing dipl mag based going trying using running working currently located calling
    writing reaching asking reddit redditors fellow humans dudes gents chaps bros peeps strangers
    internet yall y'all ya reader readers retailer seller sellers buyer buyers neighbours neighbors
    however seriously available delicious addictive amazing affordable
    """.split()  # noqa: SIM905  # to be read
)

PRONOUNS = frozenset({"i", "we", "you", "they", "he", "she", "it", "that", "there", "who"})
# Of these, those by which people sign.
SIGNED_AS = frozenset({"April", "August", "June", "May", "Will"})

JOBS = frozenset(
    """
    accountant administrator advisor agent analyst architect assistant buyer cashier clerk coach
    consultant controller coordinator designer developer director driver editor engineer executive
    foreman lead leader lecturer librarian manager marketer mechanic nurse officer operator owner
    partner planner president producer programmer receptionist recruiter registrar representative
    researcher scientist secretary specialist strategist supervisor surveyor technician trainer
    treasurer trustee underwriter writer
    """.split()  # noqa: SIM905  # to be read
)


def is_name(match: str) -> bool:
    """False where the first or the last word is no name: `dear sir`, `Head of Sales`."""
    words = match.lower().split()
    if len(words) > 1 and words[-1] in JOBS:  # `Lab Technician`; a Mr Driver may sign alone
        return False
    if words[0].partition("'")[0] in PRONOUNS and "'" in words[0]:  # `I've`; not `O'Brien`
        return False
    return words[0] not in NOT_NAMES and words[-1] not in NOT_NAMES and len(match) > 1


def is_signature(match: str) -> bool:
    """As `is_name`; but who signs as `May` is somebody, too."""
    return is_name(match) or match in SIGNED_AS


TITLE = r"""(?: (?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Herrn?|Frau|Monsieur|Madame|Mademoiselle|Mme|Mlle|Mag
    |Ing|Dipl\.-Ing
    |Señora?|Señorita|Do[nñ]a?|Dott|Sig(?:\.?ra)?|Signora?|Dhr|Mevr|Mevrouw|Meneer|Pani|Senhora?
    |Sir|Lady)\b\.?
    | (?:Sra|Srta|Sr|(?<!\b[A-Za-z]\.)M)\. )"""
GREETING = r"""(?:dear|hi|hello|hey|hiya|howdy|greetings|good[ ](?:morning|afternoon|evening|day)
    |hallo|hi[ ]there
    |lieber?|liebes|sehr[ ]geehrter?|werter?|guten[ ](?:tag|morgen|abend)|servus|moin|grüezi
    |grüß[ ]gott
    |bonjour|bonsoir|salut|cher|chère|coucou|hola|estimad[oa]|querid[oa]|buenos[ ]d[ií]as
    |buenas[ ]tardes|ciao
    |gentile|buongiorno|salve|ol[áa]|oi|car[oa]|prezad[oa]|bom[ ]dia|beste|geachte|hoi|hej|hei|kære
    |bästa|cześć
    |drogi|droga|dzień[ ]dobry|witam)"""
HONORIFIC = r"""(?:(?:mr|mrs|ms|mx|miss|dr|prof|herrn?|frau|monsieur|madame|mme|señora?|sra?|sig
    |dott|pan|pani)\b\.?[ ]){0,2}"""
CLOSING = r"""(?:(?:kind|best|warm|many|with)[ ](?:kind[ ]|best[ ])?(?:regards|wishes|thanks)
    |regards|sincerely(?:[ ]yours)?
    |yours(?:[ ](?:truly|sincerely|faithfully))?|cheers|thanks(?:[ ](?:a[ ]lot|again|so[ ]much
    |in[ ]advance|and[ ]regards|so[ ]much))?
    |many[ ]thanks|thank[ ]you(?:[ ](?:so|very)[ ]much)?|thx|ty|br|kr|rgds|best|take[ ]care|ciao
    |respectfully|cordially
    |(?:viele|liebe|beste|freundliche|herzliche|schöne)[ ]grüße|mit[ ](?:freundlichen
    |besten)[ ]gr(?:ü|ue)(?:ß|ss)en|gr(?:ü|ue)(?:ß|ss)e?
    |mfg|vg|lg|danke(?:[ ]und[ ]gruß)?|vielen[ ]dank|beste[ ]gr(?:ü|ue)(?:ß|ss)e
    |(?:bien[ ])?cordialement|cdt|merci(?:[ ](?:beaucoup|d'avance))?|bien[ ]à[ ]vous|salutations
    |amicalement|bonne[ ]journée
    |(?:un[ ])?(?:cordial[ ])?saludos?(?:[ ]cordiales)?|atentamente|(?:muchas[ ])?gracias
    |un[ ]abrazo|atte
    |(?:cordiali|distinti)[ ]saluti|grazie(?:[ ]mille)?|saluti|atenciosamente|obrigad[oa]|abraços?
    |att
    |met[ ]vriendelijke[ ]groet|groet(?:en|jes)?|mvg|pozdrawiam|dziękuję
    |med[ ]vänliga?[ ]hälsning(?:ar)?|mvh|hälsningar|tack)"""
# Where a line or a sentence begins, and up to four signs behind that are no letters.
AT_BEGINNING = "|".join(
    rf"""(?<={begins}[ \t>"]{{{signs}}})"""
    for begins in ("(?m:^)", r"[.!?:>][ \n\"]", "[.!?:>]")
    for signs in range(5)
)
# Who is greeted by what they make or sell: `Hello Acme team`.
CREW = r"(?i:team|support|crew|customer|sales|staff|folks|people|service)\b"
INTRODUCED = r"""\b(?: my[ ](?:full[ ]|first[ ]|last[ ])?name(?:'s|[ ]is) | i[ ]am[ ]called |
    they[ ]call[ ]me
    | ich[ ]hei(?:ß|ss)e | mein[ ]name[ ]ist | mein[ ]name: | je[ ]m'appelle | mon[ ]nom[ ]est |
    moi[ ]c'est | me[ ]llamo | mi[ ]nombre[ ]es
    | mi[ ]chiamo | il[ ]mio[ ]nome[ ]è | (?:o[ ])?meu[ ]nome[ ]é | (?:eu[ ])?me[ ]chamo |
    mijn[ ]naam[ ]is | ik[ ]heet | nazywam[ ]się | mam[ ]na[ ]imię
    | jag[ ]heter | mitt[ ]namn[ ]är | name's )"""
WEAKLY = r"""\b(?: i[ ]am | i'm | im | this[ ]is | it's | here[ ]is | ich[ ]bin | hier[ ](?:ist
    |spricht|schreibt) | je[ ]suis | c'est | ici | soy
    | aquí | sono | sou | aqui[ ]é | ik[ ]ben | met | jag[ ]är | jestem )"""
NOT_NEXT = r"""(?:and|und|et|y|e|i|i'm|we|from|at|with|aus|von|de|ich|wir|je|nous|yo|but|here
    |please|is|the|of
    |a|for|in|my|who|bei|chez|en|da|di|van|on|to)\b"""
INTRODUCTIONS = PatternSet(
    "PERSON",
    "IntroducedNames",
    0.8,
    (rf"[ ]{{1,2}} (?P<pii> {FULL_NAME} | {NAME} (?:[ ](?!(?i:{NOT_NEXT})){NAME})? )",),
    ignore_case=False,
    honest=is_name,
    after=INTRODUCED,
)
PRESENTATIONS = PatternSet(
    "PERSON",
    "PresentedNames",
    0.75,
    (
        rf"""[ ] (?P<pii> {FULL_NAME} )
            (?= [ ](?:from|at|with|here|calling|writing|speaking|and[ ]I|of|von|aus|bei|und[ ]ich
            |de|chez|et[ ]je|da|di|van|\(|-)
            | [ ]?[,.!\n;(-] | \Z )""",
        rf"(?i: [ ] (?P<pii> {NAME} (?:[ ]{NAME})? ) (?=[ ](?:from|von|de)[ ]\w) )",
    ),
    ignore_case=False,
    honest=is_name,
    after=WEAKLY,
)
NAMES = PatternSet(
    "PERSON",
    "TitledNames",
    0.8,
    (
        Shape(
            rf"""(?m:^)[ >]{{0,4}} (?P<pii> {CAPITALISED}(?:[ ]{CAPITALISED})? ) [ ] (?:here
            |speaking|hier|ici|aquí)\b""",
            words(" here", " speaking", " hier", " ici", " aquí"),
        ),
        Shape(
            rf"(?i:\b(?:hi|hello|hey|hallo)[ ,!]{{1,3}} (?P<pii> {NAME}) [ ](?:here|hier)\b)",
            words(" here", " hier"),
        ),
        Shape(
            rf"""(?im: ^[ \t>]*+
            (?:(?:full|first|last|contact|vor-?|nach|family|given|sur|nick)[ ]?)?
            (?:name|naam|nom|prénom|nombre|apellidos?|nome|cognome|sobrenome|ansprechpartner
            |contact|kontakt|attn|attention|z\.[ ]?hd)
            [ \t]*+ [:=] ) [ \t]*+ (?P<pii> {NAME} (?:[ ]{NAME}){{0,3}} )""",
            words(":", "="),
        ),
        rf"\b(?=[A-Z]) {TITLE} [ ]{{1,2}} (?P<pii> (?:{INITIAL}[ ]?){{0,2}} {FULL_NAME} )",
    ),
    ignore_case=False,
    honest=is_name,
)
GREETED = PatternSet(
    "PERSON",
    "GreetedNames",
    0.75,
    (
        rf""",?[ ] (?i:{HONORIFIC}) (?P<pii> {CAPITALISED} (?:[ ]{PARTICLES}{CAPITALISED}){{0,2}}+
            ) (?![ ]{CREW})""",
        rf"""(?i: ,?[ ] {HONORIFIC} (?P<pii> {NAME} (?:[ ]{NAME})? )
            (?=[ ]?(?:[,!:]|-[ ]|\n|\r|\Z)|[ ]and[ ]) )""",
        rf"(?i: [ ] {HONORIFIC} {NAME}[ ](?:and|und|et|y|&)[ ] (?P<pii> {NAME} ) (?=[ ]?[,!:\n]) )",
    ),
    ignore_case=False,
    honest=is_name,
    after=rf"\b(?:{AT_BEGINNING}){GREETING}\b",
)
SIGNED = PatternSet(
    "PERSON",
    "SignedNames",
    0.75,
    (
        rf"""[ ,.!;-]{{0,3}} [ \t]{{0,3}} (?:\r?\n[ \t>]{{0,3}}){{1,3}}
            (?P<pii> {FULL_NAME} | {ANY_CASE} ) [ \t]{{0,3}} (?=[\r\n,.|(]|\Z|[ ]-)""",
        rf"(?:[ ]?[,.!;-][ ]|[ ]) (?P<pii> {FULL_NAME} ) [ .]{{0,2}} (?=[\r\n,|(]|\Z)",
        rf"[ ]?[,;!-][ ] (?P<pii> {NAME} (?:[ ]{NAME})? ) [ .]{{0,2}} (?=[\r\n]|\Z)",
        rf"""(?:(?<=mfg)|(?<=thx)|(?<=mvh)|(?<=mvg)|(?<=cdt)|(?<=\b[vl]g)|(?<=cheers))[ ] (?P<pii>
            {NAME} ) [ .]{{0,2}} (?=[\r\n]|\Z)""",
    ),
    ignore_case=False,
    honest=is_signature,
    after=rf"\b{CLOSING}\b",
)
DASHED = PatternSet(
    "PERSON",
    "SignatureLines",
    0.7,
    (
        rf"""(?m: ^[ \t]*+ (?: --?[ ]? | ~[ ]? | /[ ]? ) (?: \n )? (?P<pii> {FULL_NAME} ) [ \t]*+
            (?:$|[,|]) )""",
    ),
    ignore_case=False,
    honest=is_name,
)
HEADERS = PatternSet(
    "PERSON",
    "MailHeaders",
    0.85,
    (
        Shape(
            rf"""(?<![\w.'"-]) (?P<pii> {NAME}(?:,?[ ](?:{INITIAL}|{NAME})){{0,3}}+ ) ["']?
                [ ]{{1,2}} [<(\[]
            (?:mailto:)?[\w.!\#$%&'*+/=?^`{{|}}~-]{{1,64}}+@""",
            words(" <", " (", " ["),
        ),
        Shape(
            rf"""(?im: ^[ \t>*]*+ (?:from|to|cc|bcc|sender|reply-to|von|an|kopie|de|à|para|da|attn
            |sent[ ]by|forwarded[ ]by|author)[*]?
            [ ]?:[ \t*"']*+ ) (?P<pii>
            {CAPITALISED},?[ ](?:{INITIAL}[ ])?{CAPITALISED}(?:[ ]{CAPITALISED}){{0,2}}+ )
            (?=["']?[ \t]*+(?:[\r\n<(\[;,]|\Z))""",
            words(":"),
        ),
        Shape(
            rf"""(?P<pii> {FULL_NAME} ) (?:[ ]<[^<>\n]{{3,80}}>)? [ ](?:wrote|schrieb|a[ ]écrit
                |escribió|ha[ ]scritto|escreveu):""",
            words("wrote:", "schrieb:", "écrit", "escribió", "scritto", "escreveu"),
        ),
        Shape(rf"(?<!\w) c/o [ ] (?P<pii> {FULL_NAME} )", words("c/o")),
        Shape(
            rf"""(?<!\w) (?P<pii> {CAPITALISED} [ ] {CAPITALISED} (?:[ ]{CAPITALISED})? ) (?=[ ]?\n
            [^\n@]{{0,60}}+ \n [^\n@]{{0,60}}@)""",
            words("@"),
        ),
    ),
    ignore_case=False,
    honest=is_name,
)


def recognizers() -> list[Recognizer]:
    """Recognizers of names that the words around them give away."""
    return list(
        map(Patterns, (INTRODUCTIONS, PRESENTATIONS, NAMES, GREETED, SIGNED, DASHED, HEADERS))
    )
