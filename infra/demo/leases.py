"""Who holds which chunk, as the workers wrote it down: read by the demonstration to kill the right one, and to know which
chunks were sent by a second worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TABLE = "groundswell-local-chunks"


@dataclass(frozen=True, slots=True)
class Lease:
    """`fence` counts the leases of the chunk; `worker` is the log stream of the latest one's holder."""

    chunk: str
    worker: str
    fence: int
    sealed: bool
    done: bool


def of(dynamodb: Any, launch: str, chunks: Iterable[str]) -> dict[str, Lease]:
    """By chunk (`<lane>.<chunk>`), without those that nobody has leased. `dynamodb` is a boto3 client."""
    found = {}
    for chunk in chunks:
        lane, _, number = chunk.rpartition(".")
        asked = {":pk": {"S": f"{launch}#{lane}#{number}"}}
        answer = dynamodb.query(TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=asked, ConsistentRead=True)
        states = [item for item in answer["Items"] if item["sk"]["S"].endswith("#state")]
        if states:
            found[chunk] = _lease(chunk, max(states, key=lambda item: str(item["sk"]["S"])))
    return found


def _lease(chunk: str, item: Mapping[str, Any]) -> Lease:
    fence, worker = int(item.get("fence", {"N": "0"})["N"]), str(item.get("worker", {"S": ""})["S"])
    return Lease(chunk, worker, fence, "sealed" in item, "done" in item)
