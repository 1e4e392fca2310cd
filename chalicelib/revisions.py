"""How a contribution changes after it was added. Until somebody has voted on it, its author's new words replace the old
ones; afterwards what people voted on stays readable, as a revision. Withdrawing removes all words for good.

That earlier words are kept says that somebody has voted. While votes are hidden they are therefore told only to who voted
on them, and knows of a vote already: to who would be deceived otherwise. Once the stage has closed everybody is told."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from . import campaigns, contributions, flags, ids, settings, store, votes
from .campaigns import Campaign, Phase
from .contributions import Contribution, Said
from .errors import Conflict, Forbidden
from .votes import Vote

REVISIONS_MAX = 50


class Revision(store.Record):
    """An earlier text, `number` from 1, in the table of contributions; `replaced` in epoch milliseconds."""

    class Meta:
        table_name = settings.table("contributions")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    replaced = NumberAttribute()

    @property
    def number(self) -> int:
        return int(str(self.sk))


def _key(found: Contribution) -> str:
    return f"{contributions.key(found.campaign, found.id)}#revisions"


def of(found: Contribution, phase: Phase, own: Vote | None, *, now: datetime) -> list[Revision]:
    """Its earlier texts that people voted on, oldest first, as somebody with this vote (or none) may know of them."""
    shown = phase.shows_tallies(now)
    if not found.edited or not (shown or own):
        return []
    return [revision for revision in Revision.query(_key(found)) if shown or (own and int(own.at) <= int(revision.replaced))]


def edit(campaign: Campaign, contribution: str, pseudonym: str, said: Said, *, now: datetime, organises: bool = False) -> Contribution:
    """The author's new words, while the phase is open. In a pre-moderated phase they wait for a moderator again. Safe to
    repeat: the same words again change nothing.

    Raises `NotFound`, `Forbidden` (not_author), `Invalid`, `Conflict` (not_open, phase_closed, not_in_phase, hidden,
    too_many_revisions, changed)."""
    found = _own(campaign, contribution, pseudonym)
    phase = campaigns.require(campaign, found.phase, "contribute", now=now, organises=organises)
    if found.state not in ("published", "pending"):
        raise Conflict("What has been taken away can no longer be changed.", code="hidden")
    said = contributions.cleaned(said)
    contributions.check(campaign, said, list(phase.kinds))
    if contributions.said_by(found) == said:
        return _forget_if_unseen(found) if found.edited else found
    if int(found.revision) > REVISIONS_MAX:
        raise Conflict(f"An idea can be changed {REVISIONS_MAX} times; please add another one.", code="too_many_revisions")
    if phase.premoderated:
        flags.await_review(campaign.slug, found.id, now=now)
    _replace(found, said, "pending" if phase.premoderated else str(found.state), now)
    return _forget_if_unseen(found)


def _own(campaign: Campaign, contribution: str, pseudonym: str) -> Contribution:
    found = contributions.find(campaign.slug, contribution, consistent=True)
    if found.author != pseudonym:
        contributions.visible(found)
        raise Forbidden("Only who had this idea can change it or take it back.", code="not_author")
    return found


_SAID = ("kind", "title", "text", "tags", "choices", "answers")


def _replace(found: Contribution, said: Said, state: str, now: datetime) -> None:
    number, at = int(found.revision), ids.milliseconds(now)
    earlier = Revision(pk=_key(found), sk=f"{number:03d}", title=found.title, text=found.text, replaced=at)
    actions: list[Action] = [Contribution.revision.set(number + 1), Contribution.edited.set(at), Contribution.state.set(state)]
    wanted = Contribution()
    contributions.say(wanted, said)
    wanted.answers = list(found.answers) if said.kind == "solution" else []
    actions += [getattr(Contribution, name).set(getattr(wanted, name)) for name in _SAID]

    def fill(transaction: TransactWrite) -> None:
        transaction.save(earlier, condition=Revision.pk.does_not_exist())
        transaction.update(found, actions=actions, condition=(Contribution.revision == number) & (Contribution.state == found.state))

    if store.write_together(fill) is not None:
        there = contributions.find(found.campaign, found.id, consistent=True)
        if int(there.revision) != number + 1 or there.text != said.text or there.title != said.title:
            raise Conflict("This was changed somewhere else meanwhile; please look again.", code="changed")


def _forget_if_unseen(found: Contribution) -> Contribution:
    """Asked after the words were replaced, so that a vote on the old ones cannot slip through: where nobody has voted,
    there is nothing to keep. Cut off before this, a revision too many stays until the same words are sent again."""
    key = contributions.key(found.campaign, found.id)
    there = contributions.find(found.campaign, found.id, consistent=True)
    if there.edited and next(iter(votes.ever(key)), None) is None:
        _delete_revisions(there)
        if store.update_if(there, [Contribution.edited.remove()], Contribution.revision == there.revision):
            there.edited = None
    return there


def _delete_revisions(found: Contribution) -> None:
    for revision in Revision.query(_key(found), consistent_read=True):
        revision.delete()


def withdraw(campaign: Campaign, contribution: str, pseudonym: str) -> None:
    """Takes a contribution back at any time: its words and revisions are deleted, its place stays empty. Safe to repeat.

    Raises `NotFound`, `Forbidden` (not_author)."""
    found = _own(campaign, contribution, pseudonym)
    gone = [Contribution.state.set("withdrawn"), Contribution.title.set(" "), Contribution.text.set(" "), Contribution.tags.set([])]
    gone += [Contribution.choices.set({}), Contribution.answers.set([]), Contribution.edited.remove()]
    gone += [Contribution.reason.remove(), Contribution.note.remove()]
    store.update_if(found, gone, Contribution.pk.exists())
    _delete_revisions(found)
    flags.end_review(campaign.slug, found.id)
