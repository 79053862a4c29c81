"""``keepclear key``: a party's keys, and the words by which people compare them over a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keepclear.cli import key_saying
from keepclear.cli.folders import DirArgument, PassphraseOption, new_passphrase, opened, public_key, told_key, unsealed
from keepclear.cli.output import put
from keepclear.cli.screen import plain
from keepclear.errors import InputError
from keepclear.times import to_text

if TYPE_CHECKING:
    from keepclear.record.key_ring import KeyPeriod, KeyRing
    from keepclear.store.party_folder import PartyFolder

__all__ = ["app"]

app = typer.Typer(name="key", no_args_is_help=True, rich_markup_mode=None, help="A party's keys.")


@app.command("new", short_help="Make a party's identity key.")
def new(
    directory: DirArgument,
    party: Annotated[str, typer.Option("--party", metavar="NAME", help="What the party is called on every line.")],
    passphrase_file: PassphraseOption = None,
) -> int:
    """Make a folder for a party, and the identity key in it.

    The identity signs nothing but certificates for the party's other keys. Read its words to the other parties over a
    telephone: who hears the same words that they see has the right key.
    """
    from keepclear.store.party_folder import PartyFolder

    sealed_with = new_passphrase(passphrase_file)
    folder = PartyFolder.create(directory, party, sealed_with=sealed_with)
    lines = [f"{party} has an identity in {plain(str(directory))}.\n", *told_key(folder.identity)]
    put([*lines, *unsealed(sealed_with, "Its private part is")], None)
    return 0


@app.command("show", short_help="Show public keys and the words that name them.")
def show(
    what: Annotated[str, typer.Argument(metavar="DIR|KEY", help="A party's folder, or a public key.")],
) -> int:
    """Show public keys and the twelve words of each, to be read over a telephone.

    Of a folder also the keys of others whose logs are held, as far as an identity whose words were compared has
    certified them, and how each stands.
    """
    if "+" in what and not Path(what).exists():
        put(told_key(public_key(what)), None)
        return 0
    folder = opened(Path(what), None)
    put(_all(folder) if folder.has_store else told_key(folder.identity), None)
    return 0


@app.command("compare", short_help="Compare words heard over a telephone with a key.")
def compare(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The public key as you have it.")],
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="The words as they were read to you.")],
) -> int:
    """Compare the words that were read to you with the key that you have.

    Exit status: 0 the same, 1 not the same (and which word differs).
    """
    from keepclear.record.fingerprints import check_words

    public = public_key(key)
    try:
        check_words(" ".join(words), public)
    except InputError as error:
        put([f"Not the words of this key: {plain(str(fault))}\n" for fault in error.faults], None)
        return 1
    put([f"The words are those of {plain(public.name)}.\n"], None)
    return 0


app.command("change", short_help="Put a new key in the place of a log or mirror key.")(key_saying.change)
app.command("certify", short_help="Say your certificates again, to a party that came later.")(key_saying.certify)
app.command("revoke", short_help="Say that a key is no longer yours.")(key_saying.revoke)
app.command("vouch", short_help="Say that another party's new identity is theirs.")(key_saying.vouch)


def _all(folder: PartyFolder) -> Iterator[str]:
    """The keys of the folder, those of the others whose logs are held, and what was not believed."""
    from keepclear.store.key_statements import ring_of

    with folder.store(readonly=True) as store:
        ring = ring_of(store, folder)
        parties = sorted({log.origin.partition("/")[0] for log in store.logs()} - {folder.party})
    ended = {period.key: period for period in _periods(ring, folder.party) if period.ended}
    for key in folder.public_keys():
        yield from told_key(key)
        if key in ended:
            yield f"  {_state(ended[key], 'yours')}\n"
    for party in parties:
        yield (
            f"{party}, as far as an identity of theirs that was compared has certified:\n"
            if party in ring.parties
            else (
                f"{party}: no identity of theirs was compared, so none of their keys is certified "
                "(keepclear log import --identity KEY)\n"
            )
        )
        for period in _periods(ring, party):
            yield from told_key(period.key)
            yield f"  {_state(period, 'theirs')}\n"
    for refusal in ring.refused:
        yield f"Not believed, a statement about keys: {plain(refusal.reason)}\n"


def _periods(ring: KeyRing, party: str) -> Iterator[KeyPeriod]:
    for (whose, _, _), periods in ring.held.items():
        if whose == party:
            yield from periods


def _state(period: KeyPeriod, whose: str) -> str:
    if period.until_s is None:
        return f"{whose} since {to_text(period.from_s)}" if period.from_s else f"{whose}: its words were compared"
    return f"{period.ended}: not {whose} from {to_text(period.until_s)} on"
