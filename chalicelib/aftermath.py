"""What came of a launch: visits by its link, people who joined, and ideas, in the 72 hours after the moment against the 72 hours
before. Counted in the first night after that, once, from figures alone. Not signed: what signs reports may not read these tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from . import ids, reports, settings, store, visits
from .campaigns import Campaign
from .contributions import Contribution
from .enrolments import Enrolment
from .errors import NotFound
from .launches import Launch

SPAN = timedelta(hours=72)


class Aftermath(store.Record):
    """Beside the launch's report."""

    class Meta:
        table_name = settings.table("reports")

    pk = UnicodeAttribute(hash_key=True)
    counted: JSONAttribute = JSONAttribute()
    written = NumberAttribute()


def get(launch: str) -> dict[str, Any] | None:
    """`before` and `after`, each with `visits`, `joins` and `ideas`; None until it has been counted."""
    found = Aftermath.find(_key(launch))
    return dict(found.counted) if found else None


def due(launch: Launch) -> datetime:
    """When the 72 hours are over."""
    return launch.moment + SPAN


def write(campaign: Campaign, launch: Launch, *, now: datetime) -> None:
    """Counts, where the time has come and something was posted. Safe to repeat: what was counted first stays, also when people
    have left since."""
    if now < due(launch) or Aftermath.find(_key(launch.id)) is not None or not _posted(launch):
        return
    moment = launch.moment.astimezone(UTC)
    counted = {"before": _counted(campaign, moment - SPAN, moment), "after": _counted(campaign, moment, moment + SPAN)}
    item = Aftermath(pk=_key(launch.id), counted=counted, written=ids.milliseconds(now))
    store.save_if(item, Aftermath.pk.does_not_exist())


def _key(launch: str) -> str:
    return f"{launch}#aftermath"


def _posted(launch: Launch) -> int:
    try:
        return int(reports.get(launch.id)["posted"])
    except NotFound:
        return 0


def _counted(campaign: Campaign, start: datetime, end: datetime) -> dict[str, int]:
    return {
        "visits": visits.between(campaign.slug, start, end),
        "joins": _joins(campaign, start, end),
        "ideas": _ideas(campaign, start, end),
    }


def _joins(campaign: Campaign, start: datetime, end: datetime) -> int:
    """Who said what describes them best; not who was made an organiser."""
    first, last = ids.milliseconds(start), ids.milliseconds(end)
    found = Enrolment.query(campaign.slug, filter_condition=Enrolment.joined.between(first, last - 1) & Enrolment.role.exists())
    return sum(1 for _ in found)


def _ideas(campaign: Campaign, start: datetime, end: datetime) -> int:
    """Of any kind, as far as they can be seen."""
    made = Contribution.created.between(ids.milliseconds(start), ids.milliseconds(end) - 1)
    pages = (Contribution.query(f"{campaign.slug}#{int(phase.number)}", filter_condition=made) for phase in campaign.phases)
    return sum(1 for page in pages for one in page if one.is_published)
