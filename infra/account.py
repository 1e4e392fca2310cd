"""What AWS lets this account do, asked with the operator's own rights and noted for the readiness reports (see
`chalicelib.quotas`): no function has a right to ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from infra import deployed
from infra.console import warn

if TYPE_CHECKING:
    from chalicelib.quotas import Account


def note(stage: str) -> Account:
    """Asks, and notes the answers with their time; what cannot be read is noted as not known, and told. Safe to repeat."""
    from chalicelib.quotas import Account  # it reads the stage's settings, which are set by now

    found = Account(pk="account", sk="quotas", read_at=int(time.time() * 1000))
    _functions(stage, found)
    _letters(found)
    found.save()
    return found


def _or_none(what: str, call: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """Empty where it cannot be read: there is no right to, or the embedded AWS lacks it."""
    try:
        return call(**arguments)
    except ClientError as error:
        warn(f"{what} could not be read ({error.response['Error']['Code']}), so it is reported as not known")
        return {}


def _functions(stage: str, found: Account) -> None:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html"""
    lambdas = boto3.client("lambda")
    limits = _or_none("how many functions run at once", lambdas.get_account_settings).get("AccountLimit", {})
    found.concurrent, found.unreserved = limits.get("ConcurrentExecutions"), limits.get("UnreservedConcurrentExecutions")
    if limits:
        name = deployed.function_name(stage, "release")
        found.reserved = _or_none("reserved concurrency", lambdas.get_function_concurrency, FunctionName=name).get(
            "ReservedConcurrentExecutions"
        )


def _letters(found: Account) -> None:
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html"""
    answer = _or_none("how many e-mails SES takes", boto3.client("sesv2").get_account)
    quota = answer.get("SendQuota", {})
    found.mail_per_s, found.mail_per_day, found.mailed = (quota.get(name) for name in ("MaxSendRate", "Max24HourSend", "SentLast24Hours"))
    if "ProductionAccessEnabled" in answer:
        found.mail_open = int(answer["ProductionAccessEnabled"])
