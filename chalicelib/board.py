"""The board: a compact snapshot of a phase's published ideas, from which lists, search and figures are made.

A campaign has one head, which says for each phase which parts make up its board; parts never change, a new one takes an
old one's place. Whatever the stream names is read again from the table, after the head, and the head is written only if
nobody wrote it since: so any order and number of deliveries gives the board that the table says."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from . import ids, settings, store
from .contributions import Contribution

PART_ENTRIES, PART_BYTES = 250, 300_000
HEAD = "head"


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a list needs to know of an idea to find and to order it. `created` in epoch milliseconds."""

    id: str
    kind: str
    title: str
    text: str
    tags: list[str]
    choices: dict[str, str]
    answers: list[str]
    comments: int
    created: int


class Ref(msgspec.Struct, array_like=True, frozen=True):
    """Where a part is, and what is in it: entries from the id `first` on, and how many comments these have."""

    id: str
    first: str
    ideas: int
    comments: int


class Outline(msgspec.Struct, array_like=True):
    """The parts of one phase's board, in the order of ids."""

    parts: list[Ref] = []

    @property
    def ideas(self) -> int:
        return sum(part.ideas for part in self.parts)

    @property
    def comments(self) -> int:
        return sum(part.comments for part in self.parts)


class Head(store.Record):
    """`by` is who wrote it last. `replaced`: parts of before, kept one version longer for who still reads them."""

    class Meta:
        table_name = settings.table("boards")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=HEAD)
    version = NumberAttribute(default=0)
    outlines = BinaryAttribute(legacy_encoding=False)
    replaced = BinaryAttribute(legacy_encoding=False)
    by = UnicodeAttribute()


class Part(store.Record):
    class Meta:
        table_name = settings.table("boards")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    data = BinaryAttribute(legacy_encoding=False)


Outlines = dict[int, Outline]
Keys = list[tuple[str, str]]
_outlines = msgspec.msgpack.Decoder(dict[int, Outline])
_keys = msgspec.msgpack.Decoder(list[tuple[str, str]])
_entries = msgspec.msgpack.Decoder(list[Entry])


def outlines_of(head: Head | None) -> Outlines:
    return _outlines.decode(bytes(head.outlines)) if head else {}


def entries_of(part: Part) -> list[Entry]:
    return _entries.decode(zlib.decompress(bytes(part.data)))


def refresh(keys: Iterable[tuple[str, str]]) -> None:
    """Brings the boards up to date for these keys of the contributions table. Safe to repeat, in any order."""
    touched: dict[str, dict[int, set[str]]] = {}
    for pk, sk in keys:
        campaign, _, phase = pk.rpartition("#")
        if phase.isdigit():  # not an earlier text of a contribution
            touched.setdefault(campaign, {}).setdefault(int(phase), set()).add(sk)
    for campaign, by_phase in sorted(touched.items()):
        _rewrite(campaign, {phase: partial(_changed, campaign, phase, some) for phase, some in by_phase.items()})


def recount(campaign: str, phase: int) -> None:
    """Makes the board of a phase anew, from the table alone, and clears away what a killed function left behind. Safe to
    repeat, at any time."""
    stored = [(str(part.pk), str(part.sk)) for part in Part.query(f"{campaign}#{phase}", attributes_to_get=["pk", "sk"])]
    _rewrite(campaign, {phase: partial(_whole, campaign, phase)})
    # Listed before the head was written: who saved a part by then and has not made it live, finds its version overtaken.
    head = Head.find(campaign, HEAD)
    live = {*_refs(campaign, outlines_of(head)), *_replaced(head)}
    _delete(key for key in stored if key not in live)


Made = tuple[Outline, list[Part]]
Change = Callable[[Outline], Made]


def _rewrite(campaign: str, changes: Mapping[int, Change]) -> None:
    """Writes what each phase's change makes of its outline, again and again until nobody wrote the head meanwhile. Also
    where nothing changed: a slower change still on its way must find its version overtaken."""
    while True:
        head = Head.find(campaign, HEAD)
        after, parts = outlines_of(head), list[Part]()
        for phase, change in changes.items():
            after[phase], made = change(after.get(phase) or Outline())
            parts += made
        for part in parts:
            part.save()
        if _swap(campaign, head, after):
            _delete(_replaced(head))
            return
        live = _refs(campaign, outlines_of(Head.find(campaign, HEAD)))
        _delete(key for part in parts if (key := (str(part.pk), str(part.sk))) not in live)


def _swap(campaign: str, before: Head | None, after: Outlines) -> bool:
    """Puts the head in place of `before`, if that still stands. A lost response is told apart by the mark left in it."""
    live = _refs(campaign, after)
    replaced = [key for key in _refs(campaign, outlines_of(before)) if key not in live]
    version, mark = int(before.version) if before else 0, ids.short()
    head = Head(pk=campaign, sk=HEAD, version=version + 1, by=mark)
    head.outlines, head.replaced = msgspec.msgpack.encode(after), msgspec.msgpack.encode(replaced)
    if store.save_if(head, Head.version == version if before else Head.pk.does_not_exist()):
        return True
    there = Head.find(campaign, HEAD)
    return there is not None and there.by == mark


def _refs(campaign: str, outlines: Outlines) -> dict[tuple[str, str], None]:
    return {(f"{campaign}#{phase}", ref.id): None for phase, outline in outlines.items() for ref in outline.parts}


def _replaced(head: Head | None) -> Keys:
    return _keys.decode(bytes(head.replaced)) if head else []


def _delete(keys: Iterable[tuple[str, str]]) -> None:
    for pk, sk in keys:
        Part(pk=pk, sk=sk).delete()


def _whole(campaign: str, phase: int, _before: Outline) -> Made:
    found = Contribution.query(f"{campaign}#{phase}", consistent_read=True)
    return _parted(campaign, phase, [_entry(item) for item in found if item.is_published])


def _changed(campaign: str, phase: int, touched: Collection[str], before: Outline) -> Made:
    """Only the parts that hold, or will hold, what was touched are read and made again."""
    there = store.read_together({Contribution: [(f"{campaign}#{phase}", one) for one in touched]}, consistent=[Contribution])
    entries = {item.id: _entry(item) for item in there[Contribution] if item.is_published}
    firsts = [part.first for part in before.parts]
    by_part: dict[int, list[str]] = {}
    for one in touched:
        by_part.setdefault(max(0, bisect_right(firsts, one) - 1), []).append(one)
    read = _read_all(campaign, phase, [before.parts[place] for place in by_part if place < len(firsts)])
    if read is None:
        return _whole(campaign, phase, before)
    refs, parts = list[Ref](), list[Part]()
    for place, part in enumerate(before.parts or [Ref("", "", 0, 0)]):
        known = read.get(part.id, [])
        wanted = _merged(known, by_part.get(place, ()), entries)
        made = _parted(campaign, phase, wanted) if wanted != known else (Outline([part] if part.ideas else []), [])
        refs += made[0].parts
        parts += made[1]
    return Outline(refs), parts


def _read_all(campaign: str, phase: int, refs: Sequence[Ref]) -> dict[str, list[Entry]] | None:
    """The entries of these parts, or None if one is not there any more."""
    found = store.read_together({Part: [(f"{campaign}#{phase}", ref.id) for ref in refs]}, consistent=[Part])[Part]
    return {str(part.sk): entries_of(part) for part in found} if len(found) == len(refs) else None


def _merged(known: list[Entry], touched: Iterable[str], entries: Mapping[str, Entry]) -> list[Entry]:
    changes = dict.fromkeys(touched)
    kept = [entry for entry in known if entry.id not in changes]
    kept += [entries[one] for one in changes if one in entries]
    return sorted(kept, key=lambda entry: entry.id)


def _entry(item: Contribution) -> Entry:
    return Entry(
        id=item.id,
        kind=item.kind,
        title=item.title,
        text=item.text,
        tags=list(item.tags),
        choices=dict(item.choices),
        answers=list(item.answers),
        comments=int(item.comments),
        created=int(item.created),
    )


def _parted(campaign: str, phase: int, entries: Sequence[Entry]) -> Made:
    refs, parts = list[Ref](), list[Part]()
    for some in _portions(entries):
        ref = Ref(ids.short(), some[0].id, len(some), sum(entry.comments for entry in some))
        refs.append(ref)
        parts.append(Part(pk=f"{campaign}#{phase}", sk=ref.id, data=zlib.compress(msgspec.msgpack.encode(some))))
    return Outline(refs), parts


def _portions(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Small enough for an item each (400 KB), whatever is written in them, and for a change to be cheap."""
    some, size = list[Entry](), 0
    for entry in entries:
        bytes_of = len(msgspec.msgpack.encode(entry))
        if some and (len(some) == PART_ENTRIES or size + bytes_of > PART_BYTES):
            yield some
            some, size = [], 0
        some.append(entry)
        size += bytes_of
    if some:
        yield some
