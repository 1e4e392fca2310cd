"""The board under any order of new, changed, hidden, withdrawn and discussed ideas, redeliveries, overtaken rebuilds and lost
responses: once every stream event has been handled, it says what the table says."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from moto import mock_aws

from chalicelib import board, contributions, participants, shelf
from chalicelib.board import Entry, Head, Part
from chalicelib.contributions import Contribution
from tests.aws import hook, lost_response
from tests.conftest import NOW, build, forget, make_campaign, said

STATES = st.sampled_from(["published", "hidden", "withdrawn", "pending"])
TITLES = st.sampled_from(["Forms", "Rota", "Parking", "Handover"])


class Boards(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        self.small = patch.object(board, "PART_ENTRIES", 3)  # so that a few ideas make several parts
        self.small.start()
        build()
        self.campaign = make_campaign(participants.find_or_create("olive@example.org", now=NOW).id, NOW)
        self.ideas: list[str] = []
        self.events: list[tuple[str, str]] = []
        self.unhandled: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        self.small.stop()
        self.mock.stop()
        forget()

    def happened(self, idea: str) -> None:
        self.events.append((f"{self.campaign.slug}#1", idea))
        self.unhandled.add(self.events[-1])

    def change(self, data: st.DataObject) -> None:
        if not self.ideas:
            return
        idea = data.draw(st.sampled_from(self.ideas))
        state, title, comments = data.draw(STATES), data.draw(TITLES), data.draw(st.integers(0, 3))
        actions = [Contribution.state.set(state), Contribution.title.set(title), Contribution.comments.set(comments)]
        Contribution(pk=f"{self.campaign.slug}#1", sk=idea).update(actions=actions)
        self.happened(idea)

    @rule(title=TITLES)
    def somebody_adds_an_idea(self, title: str) -> None:
        request = str(len(self.ideas))
        idea = contributions.add(self.campaign, f"author-{request}", said("barrier", title), request=request, now=NOW).id
        self.ideas.append(idea)
        self.happened(idea)

    @rule(data=st.data())
    def an_idea_is_changed_hidden_shown_or_withdrawn(self, data: st.DataObject) -> None:
        self.change(data)

    @rule()
    def the_stream_delivers(self) -> None:
        board.refresh(self.unhandled)
        self.unhandled.clear()

    @rule(data=st.data())
    def the_stream_delivers_some_and_something_again(self, data: st.DataObject) -> None:
        if self.events:
            some = data.draw(st.lists(st.sampled_from(self.events), max_size=5))
            board.refresh([*some, (f"{self.campaign.slug}#1-{'0' * 26}#revisions", "001")])
            self.unhandled -= set(some)

    @rule(which=st.integers(1, 3))
    def the_stream_delivers_and_a_response_is_lost(self, which: int) -> None:
        with lost_response("dynamodb", "PutItem", which=which):
            board.refresh(self.unhandled)
        self.unhandled.clear()

    @rule(data=st.data())
    def a_slow_rebuild_is_overtaken(self, data: st.DataObject) -> None:
        """Another rebuild, of something that changed meanwhile, runs from start to end before the first one's next write."""
        self._overtaken(data, lambda: board.refresh(set(self.unhandled)))

    @rule(data=st.data())
    def a_recount_is_overtaken(self, data: st.DataObject) -> None:
        self._overtaken(data, lambda: board.recount(self.campaign.slug, 1))

    def _overtaken(self, data: st.DataObject, rebuild) -> None:  # type: ignore[no-untyped-def]
        waiting, last, calls = set(self.unhandled), data.draw(st.integers(1, 3)), list[int]()

        def overtake() -> None:
            calls.append(1)
            if len(calls) == last:
                self.change(data)
                board.refresh(set(self.unhandled))
                self.unhandled.clear()

        with hook("dynamodb", "PutItem", overtake):
            rebuild()
        if len(calls) < last:
            self.unhandled -= waiting

    @rule()
    def the_night_recounts(self) -> None:
        board.recount(self.campaign.slug, 1)
        self.unhandled.clear()
        head = Head.find(self.campaign.slug, board.HEAD)
        live = {*board._refs(self.campaign.slug, board.outlines_of(head)), *board._replaced(head)}
        assert {(part.pk, part.sk) for part in Part.query(f"{self.campaign.slug}#1")} == live

    @invariant()
    def the_board_is_what_the_table_says(self) -> None:
        if not self.unhandled:
            head = Head.find(self.campaign.slug, board.HEAD)
            found = list(shelf.read(self.campaign.slug, 1, head))
            assert found == [seen(item) for item in Contribution.query(f"{self.campaign.slug}#1") if item.state == "published"]
            outline = board.outlines_of(head).get(1, board.Outline())
            assert (outline.ideas, outline.comments) == (len(found), sum(entry.comments for entry in found))


def seen(item: Contribution) -> Entry:
    return Entry(item.id, item.kind, item.title, item.text, [], {}, [], int(item.comments), int(item.created))


TestBoards = Boards.TestCase
