"""Words that say nothing of one person or company, though they stand in a contact column."""

from __future__ import annotations

# Words that are a name, a company or a mailbox in a contact column and a word anywhere else.
# Alone they count only where they are written as a name, within a sentence.
ORDINARY = frozenset(
    """
    about account ada adam admin advanced agency alba all alma alt amber american and angel any
    api app apps april art ash ask association august aus autumn avis baker bank banks baron bay
    beau bei bell bello berry best bianco big bill bishop black blanc blanco blue bond book
    brand braun brook brown bud burns bush business buy call campos capital care carol case cash
    castle center central ceo chance chase chief chip christ christian church city clay clear
    client close cloud clover club cole com company con connect consulting contact cook cooper
    corp costa cotton country coward creative crm cross crown cto customer dale das data dawn
    day deal dean dear del dem demo den der des design desk die digital direct dollar dolly dot
    drew early earth east easy education energy engineering enterprise enterprises erp espanol
    est europe european eve ever express faith fast father field fields finance first fish
    fisher fleet florence flores flower flowers food for forest forward foster fox france frank
    free french friend fry fund fur future garden gay gene gentle german gift glass global glory
    gold golden goods grace grand grande grant gray great green grey gross group grow guy hall
    hand happy harmony hazel health heath heather hello help hero high hill hills holly home
    honey hope horn house hr hunt hunter hurt ice ideas inc info innovation institute
    international into invest iris iron island it ivy jack jean job john joy judge june junior
    just key kind king kings klein knight know kurz labs lake land lane lang language las laurel
    law lead learning legal leon les life light lily line little live logistics long lord los
    love low luck luz mail main major make management mar marina mark market marketing marks
    marsh mason max may media melody mercy merry message might miles miller mills mine miss mit
    mobile money monte moon moore more moss mountain much name need nero net network neu new
    news nice nick noir none north not now oak ocean oder office old olive one online opal open
    orange order oscar our page paige para paris park parker parks part partner partners pas pat
    paz peace pearl penny people pepper person petal petit phone pierce piper plan plc plus
    point ponte pool poor pope por porta porter post power price prime prince pro product
    products project public quality queen rain rainbow ray red reed rest retail rey rice rich
    rico rise river rob robin rock rod rosa rose roux ruby rush saas sage sales salt sand sandy
    sap savannah say school schwarz science season security see senior service services shade
    sharp shop shore short sierra silver single skip sky small smart snow social software sol
    solution solutions song sound south space spark sparrow speed spring star stark start steel
    sterling stern stone store storm street strong studio summer summers sun sunny support sweet
    swift system systems team tech technologies technology temple test that the they this tiger
    time top total trade training trinity true trust turner una und une university unknown use
    usher vale valley van verde victor video vine viola violet visa vista von vp walk walker
    wall walls want ward was water way web weiss well wells west what white wide will win wind
    wing winter winters wise with wolf wood woods word work works world would wren wright yard
    yes york you young your zen zum zur
    """.split()  # noqa: SIM905  # to be read
)
# Of these, what no sentence does without: a lead's own name too, where it is not written as one.
GRAMMAR = frozenset(
    """
    about all and any can con como das dear del dem den der des die est for from great had has
    have help how its just las les like los make may might mit more most much my need new nice
    non not now one our out para please pas plus pour que she some sur that the they this time
    und una une von want was way well what when who will with would yes you your zum zur
    """.split()  # noqa: SIM905  # to be read
)
LEGAL_FORMS = frozenset(
    """
    ab ag and as bhd bv cie co company corp corporation doo eg eireli ek eurl ev gbr gmbh gmbhco
    group grp holding inc incorporated intl kft kg kgaa kk lda limited llc llp lp ltd ltda mbh
    nv ohg oy oyj plc pte pty pvt sa sarl sas sasu sdn se sl snc spa spzoo srl sro the ug und
    zrt
    """.split()  # noqa: SIM905  # to be read
)
FREE_MAIL = frozenset(
    """
    126 163 aol arcor att bellsouth bluewin bol btinternet centrum charter comcast cox daum
    earthlink example fastmail free freenet gmail gmx googlemail hetnet hey home hotmail
    hushmail icloud ig inbox interia kpn laposte libero live mac mail mailbox me msn naver
    ntlworld o2 onet orange outlook planet pm posteo proton protonmail qq rambler rediffmail
    rocketmail sbcglobal seznam sfr sina sky sunrise t-online talktalk telenet telenor telia
    terra tin tuta tutanota uol verizon virgilio virginmedia wanadoo web wp yahoo yandex ymail
    ziggo zoho
    """.split()  # noqa: SIM905  # to be read
)
# Labels of a host that are no one's name, and hosts of profiles.
HOST_LABELS = frozenset(
    """
    ac app biz blog co com dev edu email eu gov gob gouv home info io it mail me mx net nhs
    online org or ne go shop site smtp store us web www ww2
    """.split()  # noqa: SIM905  # to be read
)
NETWORKS = frozenset(
    """
    angel bsky calendly facebook fb github gitlab instagram linkedin lnkd mastodon medium
    pinterest reddit snapchat t telegram threads tiktok twitch twitter vimeo vk wa wechat
    whatsapp x xing youtube
    """.split()  # noqa: SIM905  # to be read
)
# Parts of a name that say nothing alone.
PARTICLES = frozenset(
    """
    al and bin d da das de del della den der di do dos du el e ibn la las le lo los mac mc of s
    san st t te ten ter the und van vd vom von y zu zum zur
    """.split()  # noqa: SIM905  # to be read
)
TITLES = frozenset(
    """
    dr esq frau herr hon ii iii iv ing jr lady lord mag mba md miss mister mme mr mrs ms mx phd
    prof rev sir sr sra
    """.split()  # noqa: SIM905  # to be read
)
