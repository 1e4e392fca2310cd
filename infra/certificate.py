"""The certificate of a custom domain, whose name is chalice's own `api_gateway_custom_domain` in the stage's config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

from infra.console import Problem, say


def ensure(domain: Mapping[str, Any]) -> str:
    """Requests the certificate where there is none; returns its ARN. Raises `Problem` where the config names another,
    or while the domain's owner has still to prove that it is theirs, with the DNS record to make."""
    manager, host = boto3.client("acm"), str(domain["domain_name"])
    pages = manager.get_paginator("list_certificates").paginate(CertificateStatuses=["PENDING_VALIDATION", "ISSUED"])
    known = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"] if one["DomainName"] == host]
    arn = known[0] if known else manager.request_certificate(DomainName=host, ValidationMethod="DNS")["CertificateArn"]
    found = manager.describe_certificate(CertificateArn=arn)["Certificate"]
    if found["Status"] != "ISSUED":
        records = [one["ResourceRecord"] for one in found.get("DomainValidationOptions", []) if "ResourceRecord" in one]
        for record in records:
            say(f"  make this DNS record: {record['Name']} {record['Type']} {record['Value']}")
        raise Problem(f"The certificate of {host} is not issued yet ({arn}): make the DNS record, then run `infra up` again.")
    if domain.get("certificate_arn") != arn:
        raise Problem(f"Put this certificate into .chalice/config.json, api_gateway_custom_domain.certificate_arn: {arn}")
    return str(arn)
