"""Given names that stand for each other: who is Robert in a table may sign as Bob."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

ALIKE = tuple(
    frozenset(line.split())
    for line in """
    abigail abby gail
    albert al bert bertie
    alexander alexandra alex alec sandy sasha xander lexi
    alfred alfie fred
    andrew andreas andy drew andi
    anthony antonio tony toni anton
    barbara barb babs
    benjamin ben benny
    bernard bernhard bernie
    bradley brad
    catherine katherine kathryn katharina cathy kathy kate katie kat kitty cat
    charles charlie chuck chas charly
    christina christine kristina chris tina chrissy kris
    christopher christian chris kit topher
    daniel daniela dan danny dani
    david dave davey
    deborah debbie deb
    dominic dominik dom nic
    donald don donny
    dorothy dot dottie dolly
    edward eduardo ed eddie ted teddy ned
    eleanor ellie nell nora
    elizabeth elisabeth liz lizzie beth betty eliza lisa libby lisbeth
    emanuel manuel manny manu
    eugene gene
    ferdinand fernando ferdi nando
    frances francis francisco fran frank frankie paco
    frederick friedrich fred freddy fritz
    gabriel gabriele gabriela gabe gabi
    gerald gerard jerry gerry
    gregory greg
    guillermo memo
    harold harry hal
    heinrich heinz heiner
    henry harry hank hal
    ignacio nacho
    isabella isabel isabelle bella izzy isa
    jacob jakob jake
    jacqueline jackie
    james jim jimmy jamie
    janet jan
    jeffrey jeff
    jennifer jen jenny
    jessica jess jessie
    johannes hannes hans johann jo
    john jack johnny jon
    jonathan jon john jonny
    jose pepe
    joseph josef joe joey jo sepp
    josephine jo josie
    joshua josh
    juergen jurgen jorg
    katarzyna kasia
    kenneth ken kenny
    lawrence laurence larry lars
    leonard leonardo len lenny leo
    louis luis lou louie
    malgorzata gosia
    margaret margarete maggie meg peggy greta gretchen rita
    maria mary molly mia mitzi
    matthew matthias matt matty matze
    maximilian maximiliano max
    megan meg
    melissa mel missy
    michael michel mike mick micky michi mikey
    nathaniel nathan nate nat
    nicholas nikolaus nicolas nick nicky niko klaus nico
    nicole nikki nicky
    oliver olivia ollie oli liv
    pamela pam
    patricia patrick pat patty trish paddy
    pedro perico
    peter pete
    philip philipp phil pip
    rafael raphael rafa raf
    raymond ray
    rebecca becky becca
    richard rick ricky dick rich richie ricardo
    robert roberto bob bobby rob robbie bert robin
    ronald ron ronnie
    samuel samantha sam sammy
    sebastian seb basti bas
    stanislaw staszek stan
    stephen steven stefan stephan steve stevie
    susan susanne suzanne sue susie suzie
    theodore theodor theo ted teddy
    theresa therese teresa tess terry tessa
    thomas tom tommy
    timothy tim timmy
    tobias tobi toby
    ulrich uli ulli
    valentina val
    victoria vicky tori vic
    vincent vincenzo vince vinny enzo
    virginia ginny
    walter walt wally
    wilhelm willi willy
    william bill billy will willie liam guillaume
    wolfgang wolf wolfi
    zachary zach zack
    """.strip().splitlines()
)


def diminutives(name: str) -> frozenset[str]:
    """Other forms of a folded given name, itself not among them."""
    return _alike().get(name, frozenset()) - {name}


@cache
def _alike() -> Mapping[str, frozenset[str]]:
    """Each name's groups, as one."""
    alike: dict[str, frozenset[str]] = {}
    for group in ALIKE:
        for name in group:
            alike[name] = alike.get(name, group) | group
    return alike
