"""Who is asking, and may they? Every endpoint but health needs an API key."""

from __future__ import annotations

import base64

from service.errors import NotAllowed, NotAuthenticated
from service.keys import GET_A_KEY, ApiKey, KeyRing, Role

# Which roles may what; `admin` may everything.
MAY_SCORE = frozenset({Role.SCORE, Role.ADMIN})
MAY_WATCH = frozenset({Role.READ, Role.ADMIN})
MAY_AUDIT = frozenset({Role.AUDIT, Role.ADMIN})
MAY_PROVE = MAY_SCORE | MAY_AUDIT
MAY_ERASE = frozenset({Role.ADMIN})
MAY_READ = frozenset(Role)


def authorize(authorization: str | None, keys: KeyRing, roles: frozenset[Role]) -> ApiKey:
    """The key in an `Authorization` header, if it is valid and has one of the roles.

    Raises:
        NotAuthenticated: there is no key, or it is not valid.
        NotAllowed: it is valid, but for something else.
    """
    key = keys.key(token(authorization))
    if key.role not in roles:
        wanted = " or ".join(sorted(role.value for role in roles))
        fix = f"Use a key with the role {wanted}."
        raise NotAllowed(f"This key has the role {key.role.value}.", fix)
    return key


def token(authorization: str | None) -> str:
    """The token of `Bearer tb_...`, or the password of HTTP Basic: what a browser asks its user.

    Raises:
        NotAuthenticated: the header is missing, or is neither.
    """
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    if scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(credentials, validate=True).decode()
        except ValueError:  # no base64, or no text in it
            user_and_password = ""
        if password := user_and_password.partition(":")[2]:
            return password
    raise NotAuthenticated("This endpoint needs an API key.", GET_A_KEY)
