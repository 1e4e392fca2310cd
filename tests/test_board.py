"""The board's parts: small whatever is written, replaced one by one, and readable while they are replaced."""

from __future__ import annotations

import random
from datetime import datetime

import pytest

from chalicelib import board, contributions, shelf, stats
from chalicelib.board import Entry, Head, Part
from chalicelib.campaigns import Campaign
from chalicelib.contributions import TEXT_MAX, TITLE_MAX, Contribution
from chalicelib.errors import Unavailable
from chalicelib.stats import STATS, Figures
from tests.aws import hook
from tests.conftest import said

ITEM_MAX = 400_000  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html


def add(campaign: Campaign, now: datetime, count: int) -> list[tuple[str, str]]:
    """Ideas of different authors, and their keys."""
    made = [contributions.add(campaign, f"author-{n}", said(title=f"Idea {n}"), request="1", now=now) for n in range(count)]
    return [(str(item.pk), item.id) for item in made]


def head(campaign: Campaign) -> Head | None:
    return Head.find(campaign.slug, board.HEAD)


def parts(campaign: Campaign) -> list[str]:
    return [ref.id for ref in board.outlines_of(head(campaign))[1].parts]


def test_part_fits_into_an_item_even_of_the_longest_texts_that_cannot_be_packed() -> None:
    draw = random.Random(1)

    def noise(length: int) -> str:
        return "".join(chr(draw.randrange(0x10000, 0x30000)) for _ in range(length))

    entries = [Entry(f"1-{n:026d}", "barrier", noise(TITLE_MAX), noise(TEXT_MAX), [], {}, [], 0, 0) for n in range(60)]
    outline, made = board._parted("c", 1, entries)

    assert outline.ideas == 60
    assert [entry for part in made for entry in board.entries_of(part)] == entries
    assert max(len(bytes(part.data)) for part in made) < ITEM_MAX - 20_000


def test_change_of_one_idea_replaces_one_part(campaign: Campaign, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "PART_ENTRIES", 4)
    keys = sorted(add(campaign, now, 12))
    board.refresh(keys)
    before = parts(campaign)

    Contribution(pk=keys[5][0], sk=keys[5][1]).update(actions=[Contribution.comments.set(3)])
    board.refresh([keys[5]])

    assert [one in before for one in parts(campaign)] == [True, False, True]
    assert board.outlines_of(head(campaign))[1].comments == 3


def test_who_still_has_the_head_before_reads_on_while_parts_are_replaced(
    campaign: Campaign, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = add(campaign, now, 3)
    board.refresh(keys)
    old = head(campaign)
    Contribution(pk=keys[0][0], sk=keys[0][1]).update(actions=[Contribution.state.set("hidden")])

    board.refresh(keys)
    assert len(list(shelf.read(campaign.slug, 1, old))) == 3
    board.refresh(keys)
    shelf._kept.clear()
    assert len(list(shelf.read(campaign.slug, 1, old))) == 2  # its parts are gone by now, so the head was read again


def test_board_whose_part_was_lost_says_so_and_is_whole_after_the_next_change(campaign: Campaign, now: datetime) -> None:
    keys = add(campaign, now, 3)
    board.refresh(keys)
    Part(pk=f"{campaign.slug}#1", sk=parts(campaign)[0]).delete()
    shelf._kept.clear()

    with pytest.raises(Unavailable):
        shelf.read(campaign.slug, 1, head(campaign))

    board.refresh(keys[:1])
    assert len(list(shelf.read(campaign.slug, 1, head(campaign)))) == 3


def test_process_keeps_what_it_read_within_bounds(campaign: Campaign, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "PART_ENTRIES", 1)
    monkeypatch.setattr(shelf, "PARTS_KEPT", 3)
    board.refresh(add(campaign, now, 5))

    assert len(list(shelf.read(campaign.slug, 1, head(campaign)))) == 5
    assert len(shelf._kept) == 3


def test_two_requests_at_the_same_moment_count_once(campaign: Campaign, now: datetime) -> None:
    board.refresh(add(campaign, now, 2))
    known, counted, both = head(campaign), list[str](), list[stats.Stats]()

    def overtake() -> None:
        if not counted:
            counted.append("")
            both.append(stats.of(campaign, known, None, now=now))

    with hook("dynamodb", "UpdateItem", overtake):
        both.append(stats.of(campaign, known, None, now=now))

    assert [one.ideas for one in both] == [2, 0]  # the other tells what stood before
    found = Figures.find(campaign.slug, STATS)
    assert found is not None
    assert stats.of(campaign, known, found, now=now).ideas == 2
