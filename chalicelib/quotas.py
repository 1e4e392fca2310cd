"""What AWS lets this account do, as the operator's commands last read it: no function may ask, and none has to. `infra finish`
notes it with each deploy, `infra rehearse` whenever it runs."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from . import settings, store

_KEY = "account"  # no launch's id


class Account(store.Record):
    """None: could not be read. `concurrent`: functions at once in the whole account; `unreserved`: those that no function keeps
    for itself; `reserved`: those that the release worker keeps. `mail_per_s`, `mail_per_day`, `mailed` (in the last day): SES's.
    `mail_open`: 0 where SES only writes to proven addresses. `read_at` in epoch milliseconds.
    https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html,
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True, default=_KEY)
    sk = UnicodeAttribute(range_key=True, default="quotas")
    concurrent = NumberAttribute(null=True)
    unreserved = NumberAttribute(null=True)
    reserved = NumberAttribute(null=True)
    mail_per_s = NumberAttribute(null=True)
    mail_per_day = NumberAttribute(null=True)
    mailed = NumberAttribute(null=True)
    mail_open = NumberAttribute(null=True)
    read_at = NumberAttribute()


class Pollers(store.Record):
    """That pollers are provisioned for a launch, since when (epoch milliseconds), and what to go back to. No deploy meanwhile."""

    class Meta:
        table_name = settings.table("launches")

    pk = UnicodeAttribute(hash_key=True, default=_KEY)
    sk = UnicodeAttribute(range_key=True, default="pollers")
    at_least = NumberAttribute()
    at_most = NumberAttribute()
    concurrency_before = NumberAttribute(null=True)
    reserved_before = NumberAttribute(null=True)
    since = NumberAttribute()


def account() -> Account | None:
    """None where nobody has looked yet."""
    return Account.find(_KEY, "quotas")


def pollers() -> Pollers | None:
    """None while they are not provisioned."""
    return Pollers.find(_KEY, "pollers")


def note_pollers(wanted: Pollers) -> Pollers:
    """Notes it before anything is changed, so that no way of ending leaves it unnoticed. What was noted before stands: it knows
    what there was before, which by now is something else. Safe to repeat."""
    store.save_if(wanted, Pollers.pk.does_not_exist())
    found = pollers()
    assert found is not None
    return found


def forget_pollers() -> None:
    """Safe to repeat."""
    Pollers(pk=_KEY, sk="pollers").delete()
