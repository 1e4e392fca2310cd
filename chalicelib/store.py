"""The one place that knows how models reach DynamoDB: a single botocore connection shared by all of them
(each model's own would cost 100 to 280 ms of a cold start), with time-outs that fit behind API Gateway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from pynamodb.attributes import NumberAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import GLOBAL_SECONDARY_INDEXES
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

CONNECT_S, READ_S, ATTEMPTS = 1, 3, 3
_CONDITION_FAILED = "ConditionalCheckFailedException"

M = TypeVar("M", bound="Record")


@cache
def connection() -> Connection:
    return Connection(
        region=session().get_config_variable("region") or "eu-west-2",
        connect_timeout_seconds=CONNECT_S,
        read_timeout_seconds=READ_S,
        max_retry_attempts=ATTEMPTS,
        max_pool_connections=20,
    )


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """A botocore client of another service (sqs, kms, sesv2, secretsmanager), one for the process."""
    config = Config(connect_timeout=CONNECT_S, read_timeout=10, retries={"total_max_attempts": ATTEMPTS}, max_pool_connections=20)
    region = session().get_config_variable("region") or "eu-west-2"
    return session().create_client(service, region_name=region, config=config)


def dynamodb() -> Any:
    """The botocore client under the shared connection, for updates whose attribute names are data."""
    return connection().client


class Record(Model):
    """Base of all models. Expired items are filtered on read, since DynamoDB deletes them up to days later."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        before = cls._connection
        table = super()._get_connection()
        if table is not before:
            shared, meta = connection(), table.get_meta_table()
            table.connection = shared
            known = shared._tables.get(meta.table_name)
            # Of the models of one table, which come in any order, one knows its index.
            if known is None or not known.data.get(GLOBAL_SECONDARY_INDEXES):
                shared._tables[meta.table_name] = meta
        return table

    @classmethod
    def find(cls: type[M], pk: str, sk: str | None = None, *, now: float | None = None, consistent: bool = True) -> M | None:
        """The item, or None if it is absent or (with `now`, epoch seconds) has expired."""
        try:
            item = cls.get(pk, sk, consistent_read=consistent)
        except DoesNotExist:
            return None
        expires = getattr(item, "expires", None)
        return None if now is not None and expires is not None and float(expires) <= now else item


class Expiring:
    """Mix-in for models whose items DynamoDB removes by itself. Epoch seconds."""

    expires = NumberAttribute()


def condition_failed(error: PynamoDBException) -> bool:
    """True where the write was refused by its own condition (a normal case), not by a fault."""
    return isinstance(error, PutError | UpdateError | DeleteError) and error.cause_response_code == _CONDITION_FAILED


def save_if(item: Record, condition: Condition) -> bool:
    """Puts the item; False where the condition refused. A lost response is told apart by the caller, which reads."""
    try:
        item.save(condition=condition)
    except PutError as error:
        if condition_failed(error):
            return False
        raise
    return True


def update_if(item: Record, actions: Sequence[Action], condition: Condition) -> bool:
    """Updates the item; False where the condition refused."""
    try:
        item.update(actions=list(actions), condition=condition)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def delete_if(item: Record, condition: Condition) -> bool:
    """Deletes the item; False where the condition refused."""
    try:
        item.delete(condition=condition)
    except DeleteError as error:
        if condition_failed(error):
            return False
        raise
    return True


def write_together(fill: Callable[[TransactWrite], None]) -> list[bool] | None:
    """One transaction. None: committed. Else which of its items (checks, deletes, puts, updates: pynamodb's order)
    refused by their condition. Any other failure is raised. A conflict with another transaction is tried again."""
    for attempt in range(5):
        try:
            with TransactWrite(connection=connection()) as transaction:
                fill(transaction)
            return None
        except TransactWriteError as error:
            reasons = [reason.code if reason else "None" for reason in error.cancellation_reasons]
            if "TransactionConflict" in reasons and attempt < 4:
                continue
            if not any(reason == "ConditionalCheckFailed" for reason in reasons):
                raise
            return [reason == "ConditionalCheckFailed" for reason in reasons]
    raise AssertionError("unreachable")


Key = tuple[str, str] | tuple[str]
_BATCH = 100


def read_together(
    wanted: Mapping[type[Record], Iterable[Key]], *, consistent: Collection[type[Record]] = ()
) -> dict[type[Record], list[Any]]:
    """Items of several models and tables, in as few calls as 100 keys each allow; what is not there is left out. A table is
    read consistently if one of its models is in `consistent`."""
    models = {(model.Meta.table_name, *key): model for model, keys in wanted.items() for key in keys}
    found: dict[type[Record], list[Any]] = {model: [] for model in wanted}
    always, keys = {model.Meta.table_name for model in consistent}, list(models)
    for start in range(0, len(keys), _BATCH):
        asked = _asked(keys[start : start + _BATCH], always)
        while asked:
            answer = dynamodb().batch_get_item(RequestItems=asked)
            for table, items in answer["Responses"].items():
                for raw in items:
                    model = models[(table, *(raw[name]["S"] for name in ("pk", "sk") if name in raw))]
                    found[model].append(model.from_raw_data(raw))
            asked = answer.get("UnprocessedKeys")
    return found


def _asked(keys: Iterable[tuple[str, ...]], consistent: Collection[str]) -> dict[str, Any]:
    """A BatchGetItem's `RequestItems`."""
    asked: dict[str, Any] = {}
    for table, *key in keys:
        of_table = asked.setdefault(table, {"Keys": [], "ConsistentRead": table in consistent})
        of_table["Keys"].append({name: {"S": part} for name, part in zip(("pk", "sk"), key, strict=False)})
    return asked
