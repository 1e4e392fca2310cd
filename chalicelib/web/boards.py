"""Lists of ideas, as JSON and as pages: the campaign's first page, the list with its filters and search, similar ideas, figures,
and open data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from chalice import Blueprint, Response

from .. import contributions, exports, launches, listing, shelf, stats
from ..campaigns import Campaign
from ..errors import GroundswellError, Invalid, NotFound
from ..listing import Listing, Scene, Sort, Wanted
from ..phases import Kind
from ..stats import STATS, Figures
from ..tallies import Counts
from . import pages, partners
from .contributions import Contribution, told
from .http import Visit
from .routes import route

bp = Blueprint(__name__)

NEWEST = 5
SORTS: Mapping[Sort, str] = {
    "match": "Best match",
    "fair": "Mixed, so that each is seen",
    "new": "Newest",
    "top": "Most supported",
    "divided": "Most divided",
}
_NOBODY = Counts(0, 0)


class ListedBy(msgspec.Struct):
    """Without `phase`, the stage that is open or was last. `answers`: the id of a framework entry. `q`: words, each of which must
    begin one of the idea's. `top` and `divided` only once votes are shown."""

    phase: Annotated[int, msgspec.Meta(ge=1)] | None = None
    kind: Kind | None = None
    sort: Sort | None = None
    tag: str | None = None
    q: Annotated[str, msgspec.Meta(max_length=listing.QUERY_MAX)] | None = None
    answers: str | None = None
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=contributions.PAGE_MAX)] = contributions.PAGE


class Contributions(msgspec.Struct):
    """A page may hold fewer than asked for; more follow if there is a `next`."""

    items: list[Contribution]
    next: str | None


class SimilarTo(msgspec.Struct):
    text: str
    phase: Annotated[int, msgspec.Meta(ge=1)] | None = None


class SimilarContribution(msgspec.Struct):
    """`similarity`: the trigrams in common, from 0.25 to 1."""

    id: str
    kind: Kind
    title: str
    similarity: float


class SimilarContributions(msgspec.Struct):
    items: list[SimilarContribution]
    next: str | None


class Stats(msgspec.Struct):
    """`total`: ideas, comments and votes. While votes are hidden they are rounded down to ten."""

    people: int
    ideas: int
    comments: int
    votes: int
    total: int


class ExportFrom(msgspec.Struct):
    cursor: str | None = None


@route(bp, "GET", "/v1/campaigns/{slug}/contributions", asks=ListedBy, gives=Contributions, errors=(409, 503))
def listed(visit: Visit, slug: str) -> Response:
    """Ideas of a stage: in an order of one's own, the newest, what is most supported, or what a search finds."""
    found = listing.page(listing.look(slug, visit.person), _wanted(visit.ask(ListedBy)), now=visit.now)
    tally, own = found.tallies, found.own
    items = [
        told(
            item,
            tally=None if tally is None else tally.get(item.id, _NOBODY),
            own=None if own is None else own.get(item.id, 0),
        )
        for item in found.items
    ]
    return visit.json(Contributions(items, found.next))


def _wanted(asked: ListedBy) -> Wanted:
    return Wanted(**msgspec.structs.asdict(asked))


@route(bp, "GET", "/v1/campaigns/{slug}/contributions/similar", asks=SimilarTo, gives=SimilarContributions, errors=(503,))
def similar(visit: Visit, slug: str) -> Response:
    """Ideas that say nearly the same as a text, the most similar first."""
    asked, scene = visit.ask(SimilarTo), listing.look(slug, visit.person)
    phase = asked.phase or _shown(scene.campaign, visit)
    if not 1 <= phase <= len(scene.campaign.phases):
        raise Invalid.field("phase", f"1 to {len(scene.campaign.phases)}")
    found = shelf.read(slug, phase, scene.head).similar(asked.text)
    items = [SimilarContribution(one.entry.id, one.entry.kind, one.entry.title, round(one.similarity, 3)) for one in found]  # type: ignore[arg-type]
    return visit.json(SimilarContributions(items, None))


def _shown(campaign: Campaign, visit: Visit) -> int:
    phase = campaign.phase_to_show(visit.now)
    return int(phase.number) if phase else 1


@route(bp, "GET", "/v1/campaigns/{slug}/stats", gives=Stats)
def figures(visit: Visit, slug: str) -> Response:
    """How many people take part, and what they have added."""
    found = _stats(visit, listing.look(slug, visit.person, (Figures, STATS)))
    return visit.json(Stats(found.people, found.ideas, found.comments, found.votes, found.total))


def _stats(visit: Visit, scene: Scene) -> stats.Stats:
    return stats.of(scene.campaign, scene.head, scene.more.get(Figures), now=visit.now)


@route(bp, "GET", "/v1/campaigns/{slug}/export.csv", asks=ExportFrom, errors=(503,), media="text/csv")
def export(visit: Visit, slug: str) -> Response:
    """All published ideas as CSV, for anybody to use. A large campaign's file comes in parts: `Link: rel="next"` leads on."""
    scene = listing.look(slug, visit.person)
    part = exports.part(scene.campaign, scene.head, cursor=visit.ask(ExportFrom).cursor, now=visit.now)
    following = visit.link(f"/v1/campaigns/{slug}/export.csv?{urlencode({'cursor': part.next})}")
    headers = {"Content-Disposition": f'attachment; filename="{slug}.csv"'}
    return visit.file(part.csv, "text/csv", headers | ({"Link": f'<{following}>; rel="next"'} if part.next else {}))


@route(bp, "GET", "/c/{slug}", errors=(503,))
def home(visit: Visit, slug: str) -> Response:
    """The campaign's first page."""
    scene = listing.look(slug, visit.person, (Figures, STATS))
    campaign = scene.campaign
    newest = listing.page(scene, Wanted(sort="new", limit=NEWEST), now=visit.now)
    ahead = [phase for phase in campaign.phases if float(phase.opens_at) > visit.now.timestamp()]
    shown: dict[str, Any] = {
        "stats": _stats(visit, scene),
        "phase": newest.phase,
        "is_open": campaign.open_phase(visit.now) is not None,
        "following": ahead[0] if ahead else None,
        "listed": newest,
        "launch": _launch(campaign),
        "partners": partners.with_logos(visit, campaign),
    }
    return visit.page("campaign.html", campaign=campaign, **shown, **_standing(visit, scene))


def _launch(campaign: Campaign) -> launches.Launch | None:
    try:
        return launches.of(campaign)
    except NotFound:
        return None


def _standing(visit: Visit, scene: Scene) -> Mapping[str, Any]:
    """What `campaigns.standing` says, of what has been read already."""
    found = scene.enrolment
    duties = found.duties if found and not found.suspended else []
    return {"person": visit.person, "role": found.role if found else None, "duties": duties, "organiser": "organiser" in duties}


@route(bp, "GET", "/c/{slug}/ideas", asks=ListedBy, errors=(409, 503))
def ideas(visit: Visit, slug: str) -> Response:
    """The list of ideas, with its filters and search."""
    scene = listing.look(slug, visit.person)
    typed = {name: visit.query(name) or "" for name in ListedBy.__struct_fields__}
    found, wrong = Listing(scene.campaign.phase_to_show(visit.now), "fair", [], None), None
    try:
        found = listing.page(scene, _wanted(visit.ask(ListedBy)), now=visit.now)
    except GroundswellError as error:
        wrong = error
    shown: dict[str, Any] = {
        "listed": found,
        "phase": found.phase,
        "is_open": bool(found.phase and scene.campaign.opened and found.phase.allows("contribute", visit.now)),
        "typed": typed,
        "wrong": wrong,
        "sorts": _sorts(found, typed, visit),
        "options": _options(scene.campaign, found, visit),
        "address": lambda **changes: _address(slug, typed, changes),
    }
    return visit.page("ideas.html", campaign=scene.campaign, **shown, **_standing(visit, scene))


def _sorts(found: Listing, typed: Mapping[str, str], visit: Visit) -> dict[str, str]:
    """The orders that there are a link to."""
    hidden = {"top", "divided"} if not (found.phase and found.phase.shows_tallies(visit.now)) else set[str]()
    hidden |= set() if typed["q"] else {"match"}
    return {sort: words for sort, words in SORTS.items() if sort not in hidden}


def _options(campaign: Campaign, found: Listing, visit: Visit) -> dict[str, dict[str, str]]:
    """What the form offers: stages that have begun, kinds and tags, each only if there is something to choose."""
    stages = {str(int(one.number)): one.title for one in campaign.phases if float(one.opens_at) <= visit.now.timestamp()}
    kinds = {kind: pages.KINDS[kind] for kind in found.phase.kinds} if found.phase else {}
    return {
        "phase": {number: f"{number}: {title}" for number, title in stages.items()} if len(stages) > 1 else {},
        "kind": {"": "All"} | kinds if len(kinds) > 1 else {},
        "tag": {"": "All"} | {tag: tag for tag in campaign.tags} if campaign.tags else {},
    }


def _address(slug: str, typed: Mapping[str, str], changes: Mapping[str, str | None]) -> str:
    """The list with other parameters, from its first page unless a cursor is among them."""
    asked = {**typed, "cursor": None, **changes}
    query = urlencode({name: text for name, text in asked.items() if text})
    return f"/c/{slug}/ideas{f'?{query}' if query else ''}"
