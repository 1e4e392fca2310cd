"""Starts and stops MiniStack: its own venv, its own data and temporary folders, its own process group, loopback only."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.console import Problem, step

PORT = 4577
REGION = "eu-west-2"
START_S, STOP_S = 60.0, 20.0
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one run keeps its things: `build/local` for `make run`, `build/demo` for `make demo`."""

    root: Path

    @property
    def log(self) -> Path:
        return self.root / "ministack.log"

    @property
    def pid(self) -> Path:
        return self.root / "ministack.pid"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def trust(self) -> Path:
        """The certificate authorities that the functions trust: the system's and the stand-ins'."""
        return self.root / "stand-ins" / "bundle.pem"


def client_environment(port: int = PORT) -> dict[str, str]:
    """What points boto3 and chalice at the embedded AWS, and at no other."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def interpreter(build: Path) -> Path:
    """MiniStack's own Python, its venv made when its requirements have changed."""
    requirements = HERE / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    venv = build / "ministack-venv"
    stamp = venv / "made-from"
    if not stamp.exists() or stamp.read_text() != wanted:
        with step("installing the embedded AWS (once)"):
            shutil.rmtree(venv, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
            pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            if subprocess.run([*pip, "-r", str(requirements)], check=False).returncode:
                raise Problem("The embedded AWS could not be installed: pip's message is above. Is there a way to a package index?")
            stamp.write_text(wanted)
    return venv / "bin" / "python"


def require_free(port: int, what: str) -> None:
    """Raises `Problem` where something listens on the port already."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Problem(
                f"Port {port} ({what}) is in use. Another `make run` or `make demo` may be running: stop it with Ctrl-C there, "
                f"or see who has it with `ss -ltnp 'sport = :{port}'`."
            )


def environment(folder: Folder, port: int) -> dict[str, str]:
    state, data = folder.root / "state", folder.root / "s3"
    for place in (state, data, folder.temporary):
        place.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "STAGE", "PYTHON"))}
    return inherited | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "STATE_DIR": str(state),
        "S3_DATA_DIR": str(data),
        "TMPDIR": str(folder.temporary),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "SSL_CERT_FILE": str(folder.trust),
        "PYTHONUNBUFFERED": "1",
    }


def start(folder: Folder, build: Path, port: int = PORT) -> subprocess.Popen[bytes]:
    """Starts MiniStack on what it kept; returns once it answers. Raises `Problem`."""
    python = interpreter(build)
    stop_left_over(folder)
    require_free(port, "the embedded AWS")
    _forget(folder.temporary)
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [str(python), str(HERE / "gateway.py")],
            env=environment(folder, port),
            cwd=folder.root,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    folder.pid.write_text(str(process.pid))
    deadline = time.monotonic() + START_S
    while not healthy(port):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process, folder)
            raise Problem(f"The embedded AWS did not start; the end of {folder.log} says why:\n{_tail(folder.log)}")
        time.sleep(0.1)
    return process


def _forget(temporary: Path) -> None:
    """Makes room at once and deletes in the background: functions leave hundreds of megabytes of unpacked code."""
    for old in temporary.parent.glob(f"{temporary.name}.old-*"):
        shutil.rmtree(old, ignore_errors=True)
    if temporary.exists():
        old = temporary.rename(temporary.with_name(f"{temporary.name}.old-{time.time_ns()}"))
        threading.Thread(target=shutil.rmtree, args=(old,), kwargs={"ignore_errors": True}, daemon=True).start()


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        answer = connection.getresponse()
        return answer.status == 200 and bool(json.loads(answer.read()))
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tail(file: Path, lines: int = 15) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def stop(process: subprocess.Popen[bytes], folder: Folder) -> None:
    """Lets it save and end, then ends the function workers too, which would outlive it."""
    terminate(process)
    end_group(process.pid)
    folder.pid.unlink(missing_ok=True)
    shutil.rmtree(folder.temporary, ignore_errors=True)


def terminate(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to MiniStack alone: its workers go on, as functions do when a control plane fails."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def stop_left_over(folder: Folder) -> None:
    """Ends what an earlier run, cut off, has left."""
    folder.root.mkdir(parents=True, exist_ok=True)
    if folder.pid.exists():
        leader = int(folder.pid.read_text() or "0")
        if leader > 1 and _is_ours(leader):
            end_group(leader)
            time.sleep(0.2)
        folder.pid.unlink(missing_ok=True)


def _is_ours(leader: int) -> bool:
    """Whether a process group is MiniStack's: its number may have been given to somebody else since."""
    listed = subprocess.run(["ps", "-eo", "pgid=,args="], capture_output=True, text=True, check=False).stdout
    return any(line.split(None, 1)[0] == str(leader) and "ministack" in line for line in listed.splitlines() if line.strip())
