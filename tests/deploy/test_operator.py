"""What the operator's commands decide and say."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from moto.acm.models import acm_backends

from infra import __main__ as commands
from infra import certificate, deploy
from infra.console import Problem
from infra.embedded import server

DOMAIN = {"domain_name": "change.example.org"}


@pytest.fixture
def acm() -> Iterator[None]:
    with mock_aws():
        yield


def certificates() -> list[str]:
    return [one["CertificateArn"] for one in boto3.client("acm").list_certificates()["CertificateSummaryList"]]


def issue(arn: str) -> None:
    acm_backends["123456789012"]["eu-west-2"]._certificates[arn].status = "ISSUED"


def test_certificate_is_requested_once_and_says_which_dns_record_to_make(acm: None, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(Problem, match="not issued yet"):
            certificate.ensure(DOMAIN)

    assert len(certificates()) == 1
    assert "CNAME" in capsys.readouterr().out


def test_issued_certificate_has_to_be_the_one_in_the_config(acm: None) -> None:
    with pytest.raises(Problem):
        certificate.ensure(DOMAIN)
    arn = certificates()[0]
    issue(arn)

    with pytest.raises(Problem, match=arn):
        certificate.ensure(DOMAIN)
    assert certificate.ensure({**DOMAIN, "certificate_arn": arn}) == arn


def test_busy_port_is_told_with_its_number_and_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {port} .*Ctrl-C"):
            server.require_free(port, "the embedded AWS")


def test_local_stage_without_the_embedded_aws_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "PORT", 9)
    monkeypatch.setattr("sys.argv", ["infra", "up", "--stage", "local"])
    monkeypatch.setattr("os.environ", {**__import__("os").environ})

    assert commands.main() == 1
    assert "make run" in capsys.readouterr().err


def test_fingerprint_changes_with_the_code_and_not_with_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chalicelib").mkdir()
    for name in ("app.py", "requirements.txt", "chalicelib/votes.py"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(deploy, "DEPLOYED_FROM", ("app.py", "chalicelib", "requirements.txt"))
    first = deploy.fingerprint("local")
    (tmp_path / "chalicelib" / "__pycache__").mkdir()
    (tmp_path / "chalicelib" / "__pycache__" / "votes.pyc").write_text("x")
    assert deploy.fingerprint("local") == first

    (tmp_path / "chalicelib" / "votes.py").write_text("2")
    assert deploy.fingerprint("local") != first
