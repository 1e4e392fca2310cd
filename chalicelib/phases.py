"""The phases of a campaign: dated, numbered from 1, one after the other, each with its own rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from pynamodb.attributes import BooleanAttribute, ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute

from .errors import Conflict, Invalid

Kind = Literal["barrier", "building-block", "solution"]
KINDS: tuple[Kind, ...] = ("barrier", "building-block", "solution")
Right = Literal["contribute", "comment", "vote"]
RIGHTS: tuple[Right, ...] = ("contribute", "comment", "vote")
PHASES_MAX = 12


class Phase(MapAttribute[str, object]):
    """Open from `opens_at` until just before `closes_at` (epoch seconds). `contribute`, `comment`, `vote`: what people may
    do meanwhile. `blind`: tallies are hidden until it has closed. `premoderated`: contributions wait for a moderator."""

    number = NumberAttribute()
    title = UnicodeAttribute()
    question = UnicodeAttribute(default="")
    opens_at = NumberAttribute()
    closes_at = NumberAttribute()
    kinds: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    contribute = BooleanAttribute(default=True)
    comment = BooleanAttribute(default=True)
    vote = BooleanAttribute(default=True)
    blind = BooleanAttribute(default=True)
    premoderated = BooleanAttribute(default=False)

    def is_open(self, now: datetime) -> bool:
        return float(self.opens_at) <= now.timestamp() < float(self.closes_at)

    def is_ahead(self, now: datetime) -> bool:
        return now.timestamp() < float(self.opens_at)

    def has_closed(self, now: datetime) -> bool:
        return now.timestamp() >= float(self.closes_at)

    def allows(self, right: Right, now: datetime) -> bool:
        return self.is_open(now) and bool(getattr(self, right))

    def shows_tallies(self, now: datetime) -> bool:
        return not self.blind or self.has_closed(now)


@dataclass(frozen=True, slots=True)
class NewPhase:
    title: str
    opens_at: datetime
    closes_at: datetime
    kinds: Sequence[str]
    blind: bool = True
    question: str = ""
    contribute: bool = True
    comment: bool = True
    vote: bool = True
    premoderated: bool = False


def cleaned(phase: NewPhase) -> NewPhase:
    """As it is stored: times are instants in whole seconds, so that two of them compare the same on every clock."""
    opens_at, closes_at = (at.astimezone(UTC).replace(microsecond=0) for at in (phase.opens_at, phase.closes_at))
    return replace(
        phase, title=phase.title.strip(), question=phase.question.strip(), opens_at=opens_at, closes_at=closes_at, kinds=list(phase.kinds)
    )


def as_new(phase: Phase) -> NewPhase:
    """What stands, as it would be given again."""
    names = ("title", "question", "contribute", "comment", "vote", "blind", "premoderated")
    opens_at, closes_at = (datetime.fromtimestamp(float(at), UTC) for at in (phase.opens_at, phase.closes_at))
    return NewPhase(opens_at=opens_at, closes_at=closes_at, kinds=list(phase.kinds), **{name: getattr(phase, name) for name in names})


def build(number: int, new: NewPhase) -> Phase:
    return Phase(  # type: ignore[no-untyped-call]
        number=number,
        title=new.title.strip(),
        question=new.question.strip(),
        opens_at=int(new.opens_at.timestamp()),
        closes_at=int(new.closes_at.timestamp()),
        kinds=list(new.kinds),
        contribute=new.contribute,
        comment=new.comment,
        vote=new.vote,
        blind=new.blind,
        premoderated=new.premoderated,
    )


def wrong_in(phases: Sequence[NewPhase]) -> dict[str, str]:
    """What is wrong, by field: `phases.2.title`, counted from 1."""
    if not 1 <= len(phases) <= PHASES_MAX:
        return {"phases": f"1 to {PHASES_MAX} stages"}
    wrong: dict[str, str] = {}
    for number, phase in enumerate(phases, 1):
        wrong |= {f"phases.{number}.{name}": what for name, what in _wrong(phase).items()}
        if number > 1 and phase.opens_at < phases[number - 2].closes_at:
            wrong.setdefault(f"phases.{number}.opens_at", f"stage {number - 1} is still open then")
    return wrong


def _wrong(phase: NewPhase) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 1 <= len(phase.title.strip()) <= 120:
        wrong["title"] = "1 to 120 characters"
    if len(phase.question.strip()) > 300:
        wrong["question"] = "at most 300 characters"
    if phase.closes_at <= phase.opens_at:
        wrong["closes_at"] = "must be after it opens"
    if any(kind not in KINDS for kind in phase.kinds) or (phase.contribute and not phase.kinds):
        wrong["kinds"] = f"one or more of {', '.join(KINDS)}"
    return wrong


def check_change(before: Sequence[Phase], after: Sequence[NewPhase], *, now: datetime) -> None:
    """What has begun stays, and what was hidden stays hidden: votes were cast on those terms.

    Raises `Invalid` naming the fields, `Conflict` (phase_begun) where a stage that has begun would go."""
    begun = [phase for phase in before if not phase.is_ahead(now)]
    if len(after) < len(begun):
        raise Conflict("A stage that has begun cannot be taken away.", code="phase_begun")
    wrong: dict[str, str] = {}
    for old, new in zip(begun, after, strict=False):
        wrong |= {f"phases.{int(old.number)}.{name}": what for name, what in _wrong_change(old, new, now).items()}
    if wrong:
        raise Invalid.fields_of(wrong)


def _wrong_change(old: Phase, new: NewPhase, now: datetime) -> Mapping[str, str]:
    wrong: dict[str, str] = {}
    if old.blind and not new.blind and not old.has_closed(now):
        wrong["blind"] = "votes were promised to stay hidden until this stage closes"
    if old.blind and old.has_closed(now) and new.closes_at > now:
        wrong["closes_at"] = "its votes have been shown, so it cannot be opened again"
    if new.opens_at > now:
        wrong["opens_at"] = "it has begun already"
    return wrong


def single(opens_at: datetime) -> list[NewPhase]:
    """One stage of 14 days for everything."""
    return [NewPhase("Ideas, comments and votes", opens_at, opens_at + timedelta(days=14), list(KINDS))]


def template_2015(opens_at: datetime) -> list[NewPhase]:
    """The four stages of the Change Challenge of 2015, each as long and as far from the next as then: 14 days each, with 14
    and 7 days in between for sorting what came. https://www.clevertogether.com/web/change-challenge-methodology"""
    told = (
        ("Understand: what gets in the way, and what helps?", 0, ["barrier", "building-block"], (True, True, True)),
        ("Answer: find solutions", 28, ["solution"], (True, True, True)),
        ("Prioritise: which solutions should go on?", 49, ["solution"], (False, True, True)),
        ("Develop: write up the best", 63, ["solution"], (False, True, False)),
    )
    return [_of_2015(opens_at + timedelta(days=after), title, kinds, rights) for title, after, kinds, rights in told]


def _of_2015(opens_at: datetime, title: str, kinds: list[str], rights: tuple[bool, bool, bool]) -> NewPhase:
    contribute, comment, vote = rights
    closes_at = opens_at + timedelta(days=14)
    return NewPhase(title, opens_at, closes_at, kinds, contribute=contribute, comment=comment, vote=vote)
