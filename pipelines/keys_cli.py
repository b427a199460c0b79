"""`tiebreak keys`: who may use the API, and as what."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.command_options import (
    AsJson,
    store_here,
)
from service.settings import read_settings

keys = typer.Typer(no_args_is_help=True, help="API keys and their roles.")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who will use it.")],
    role: Annotated[str, typer.Option(help="score, read, audit or admin.")] = "score",
    as_json: AsJson = False,
) -> None:
    """Create an API key. It is shown once."""
    from pipelines.report import print_json
    from service.keys import Role
    from service.keys import create_key as create
    from service.keys import list_keys as listed

    if role not in set(Role):
        raise typer.BadParameter(f"{role!r} is not one of: {', '.join(Role)}.")
    with store_here() as store:
        others = [k for k in listed(store) if k.name == name and k.revoked_at is None]
        key, token = create(store, name=name, role=Role(role))
    if as_json:
        print_json({"id": key.id, "name": key.name, "role": key.role, "key": token})
    else:
        typer.echo(f"{token}\nKeep it now: only its digest is stored. Role: {key.role}.")
    for other in others:
        fix = f"`tiebreak keys revoke {other.id}` ends it."
        message = f"Another key of this name, {other.id}, role {other.role}, is still valid. {fix}"
        typer.echo(message, err=True)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List API keys, revoked ones too. Their secrets are not known to anyone."""
    from pipelines.report import print_json, show_keys
    from service.keys import ApiKey
    from service.keys import list_keys as listed

    found: list[ApiKey] = []
    if missing := _missing():
        typer.echo(missing, err=True)
    else:
        with store_here() as store:
            found = listed(store)
    if as_json:
        print_json({"keys": found})
    else:
        show_keys(found)


@keys.command("revoke")
def revoke_key(key_id: str, as_json: AsJson = False) -> None:
    """Revoke an API key: it stops working within a second."""
    from pipelines.report import print_json
    from service.errors import NoSuchApiKey
    from service.keys import revoke_key as revoke

    if missing := _missing():
        raise NoSuchApiKey(missing)
    with store_here() as store:
        revoke(store, key_id)
    if as_json:
        print_json({"revoked": key_id})
    else:
        typer.echo(f"Revoked {key_id}.")


def _missing() -> str:
    """Where keys were looked for in vain; "" where there is a database. Makes none."""
    from models.registry import shown_address
    from service.storage.database import is_there

    url = read_settings().database_url
    if is_there(url):
        return ""
    return f"There is no API key here: {shown_address(url)} does not exist."
