"""A function's first answer, in a process of its own that has the unpacked package and Python's own library, nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HANDLERS = {"api_ms": "app", "release_ms": "release"}
NEVER = {
    "app": {"aiohttp", "authlib", "icalendar", "boto3", "chalicelib.release", "chalicelib.fan_out", "cryptography.hazmat.primitives.hpke"},
    "release": {"jinja2", "markupsafe", "icalendar", "authlib", "aiohttp", "boto3"},
}
_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import json
import app
given = getattr(app, sys.argv[2])(json.loads(sys.argv[3]), None)
import time
answered = time.monotonic()
print(json.dumps({"given": given, "answered": answered, "worked": time.process_time(), "loaded": sorted(sys.modules)}))
"""


def start(folder: Path, handler: str, event: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """What the handler gave, when (seconds of the machine's own clock), after how many seconds of a processor, and which
    modules were loaded by then."""
    command = [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, str(folder), handler, json.dumps(event)]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(handler: str, answer: Mapping[str, Any], *, status: int = 200) -> None:
    """Fails where the answer is another, or something was loaded that a first answer can do without."""
    assert handler != "app" or answer["given"]["statusCode"] == status, answer["given"]
    loaded = NEVER[handler] & set(answer["loaded"])
    assert not loaded, f"{handler} has loaded {', '.join(sorted(loaded))}"


def page(path: str, slug: str) -> dict[str, Any]:
    """A browser's first request, as API Gateway hands it on."""
    return request("/c/{slug}", path, {"slug": slug})


def request(route: str, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    context = {"resourcePath": route, "httpMethod": "GET", "path": f"/api{path}", "identity": {"sourceIp": "127.0.0.1"}}
    return {
        "resource": route,
        "path": path,
        "httpMethod": "GET",
        "headers": {"accept": "text/html"},
        "multiValueHeaders": {"accept": ["text/html"]},
        "pathParameters": dict(parameters) or None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": context,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


def message() -> dict[str, Any]:
    """A chunk of a launch that is not there any more: it is dropped."""
    body = {"do": "send", "epoch": 1, "launch": "01JC0000000000000000000000", "lane": "mastodon.0", "chunk": 0}
    return {"Records": [{"messageId": "1", "receiptHandle": "1", "body": json.dumps(body), "eventSource": "aws:sqs"}]}
