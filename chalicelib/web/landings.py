"""Who comes by the link of a launch: how often that happens is counted, without a cookie, and who it was is not."""

from __future__ import annotations

import logging

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from .http import Visit

_FROM = "launch"
# Networks look at each link that is posted. Most say what they are; those that do not are counted.
_MACHINES = ("bot", "crawl", "spider", "preview", "externalhit")
_log = logging.getLogger("groundswell.web")


def proposed(visit: Visit, slug: str) -> dict[str, str]:
    """The link of a new launch as the form proposes it: where an idea is added, so that who comes can do something. Nothing
    where we have no https address, as on the local stage: supporters post no other."""
    address = visit.address(f"/c/{slug}/contributions/new?from={_FROM}")
    return {"url": address} if address.startswith("https://") else {}


def count(visit: Visit, slug: str | None) -> None:
    """Counts a page of the campaign that was opened by the link, unless a machine says that it is one. Where that fails the
    page is shown all the same."""
    if slug is None or visit.is_api or visit.request.method != "GET" or visit.query("from") != _FROM:
        return
    agent = visit.request.headers.get("user-agent", "").lower()
    if any(machine in agent for machine in _MACHINES):
        return
    from .. import visits

    try:
        visits.count(slug, now=visit.now)
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        _log.warning("a visit was not counted: %s", type(error).__name__)
