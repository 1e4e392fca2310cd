"""The tables of `infra/resources.yaml`, made in moto, so that tests run on the keys that deploy."""

from __future__ import annotations

import boto3

from infra.stack import TEMPLATE
from infra.template import resources, table_arguments, template

__all__ = ["TEMPLATE", "create_all", "resources", "template"]


def create_all() -> None:
    """Every table, with its stream, and every queue."""
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    for table in resources("AWS::DynamoDB::Table"):
        arguments = table_arguments(table)
        stream = table.get("StreamSpecification")
        if stream:
            arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
        dynamodb.create_table(**arguments)
    for queue in resources("AWS::SQS::Queue"):
        sqs.create_queue(QueueName=queue["QueueName"])
