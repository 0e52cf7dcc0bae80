"""Starts the real executables on free ports and talks to them as clients do. Shared by system and client tests."""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("LINGXI_BUILD", ROOT / "build" / "debug"))
START_LIMIT_SECONDS = 60
REQUEST_LIMIT_SECONDS = 60


held_ports = []  # files, locked for as long as this process lives


def free_port():
    """Below those that the kernel gives to whoever wants any, so that it is free after a restart too; no other test's."""
    folder = Path(tempfile.gettempdir()) / f"lingxi-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.sample(range(20_000, 32_000), 1000):
        lock = open(folder / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            lock.close()
            continue
        held_ports.append(lock)
        return port
    raise AssertionError("no port is free")


class Server:
    """`lingxi serve` on a data directory of its own. Restartable: the address stays."""

    def __init__(self, *arguments, data=None, listen=None, server_name="test.lingxi", registration="open"):
        self.scratch = tempfile.TemporaryDirectory(prefix="lingxi-")
        self.data = Path(data or Path(self.scratch.name) / "d")
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.arguments = list(arguments)
        if server_name:
            self.arguments += ["--server-name", server_name]
        if registration:
            self.arguments += ["--registration", registration]
        self.server_name = server_name
        self.process = None
        self.output = ""
        self.log = ""

    def start(self, expect_failure=False):
        command = [str(BUILD / "bin" / "lingxi"), "serve", "--data", str(self.data), "--listen", self.listen,
                   "--metrics-listen", "127.0.0.1:0", *self.with_default("--rate-limits", "off")]
        self.output, self.log = "", ""
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        stdin=subprocess.DEVNULL)
        self.readers = [threading.Thread(target=self.collect, args=(self.process.stdout, "output"), daemon=True),
                        threading.Thread(target=self.collect, args=(self.process.stderr, "log"), daemon=True)]
        for reader in self.readers:
            reader.start()
        if expect_failure:
            code = self.process.wait(START_LIMIT_SECONDS)
            for reader in self.readers:
                reader.join(5)
            return code
        self.wait_until_ready()
        return self

    def with_default(self, name, value):
        return self.arguments if name in self.arguments else [*self.arguments, name, value]

    def collect(self, stream, name):
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def wait_until_ready(self):
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            behind = "--public-url" in self.arguments  # then the listener's own address stands on a line of its own
            found = re.search(r"\(listening on (\S+)\)" if behind else r"Lingxi is running at https?://(\S+)", self.output)
            if found:
                self.listen = found.group(1)
                self.url = ("https://" if "--tls-key" in self.arguments else "http://") + self.listen
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.output}\n{self.log[-8000:]}")

    def wait_for_output(self, pattern):
        """What the note for the terminal says so; its first line is there first, and a start may go on by that."""
        return wait_for(lambda: re.search(pattern, self.output, re.S), what=pattern)

    def metrics(self):
        """What Prometheus would read."""
        served = wait_for(lambda: re.search(r'core\.metrics_served.*?(127\.0\.0\.1:\d+)', self.log), what="the address in the log")
        address = served.group(1)
        return requests.get(f"http://{address}/metrics", timeout=REQUEST_LIMIT_SECONDS).text

    def processes(self):
        """Names and process ids of core, gateway and render, as the supervisor wrote them."""
        return json.loads((self.data / "run" / "processes.json").read_text())

    def kill(self):
        """kill -9 of everything at once, as a power cut: who outlives the supervisor by a moment ends in good order."""
        self.process.send_signal(signal.SIGSTOP)  # it would start again what is killed
        running = self.processes()
        for name in ("core", "gateway", "render"):
            if running.get(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(running[name], signal.SIGKILL)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if not self.is_held():
                return
            time.sleep(0.02)
        raise AssertionError("the children outlived the supervisor")

    def is_held(self):
        """Whether a process has the data directory still."""
        for lock in self.data.glob("core/*.lock"):
            with open(lock) as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("the server did not stop within 30 seconds")
        for reader in getattr(self, "readers", []):
            reader.join(5)
        return self.process.returncode if self.process else None

    def check_clean(self):
        """No sanitizer spoke, and no request met a fault."""
        for mark in ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer"):
            assert mark not in self.log, self.log[-8000:]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        self.check_clean()
        self.scratch.cleanup()

    def register(self, localpart, password="a long password", **more):
        """A person with a session."""
        body = {"username": localpart, "password": password, **more}
        first = requests.post(f"{self.url}/_matrix/client/v3/register", json=body, timeout=REQUEST_LIMIT_SECONDS)
        if first.status_code == 401:
            body["auth"] = {"type": "m.login.dummy", "session": first.json()["session"]}
            first = requests.post(f"{self.url}/_matrix/client/v3/register", json=body, timeout=REQUEST_LIMIT_SECONDS)
        assert first.status_code == 200, first.text
        return Person(self, first.json())


class Person:
    """One session of one account."""

    def __init__(self, server, login):
        self.server = server
        self.user_id = login["user_id"]
        self.device_id = login.get("device_id")
        self.token = login.get("access_token")
        self.http = requests.Session()
        self.since = None

    def request(self, method, path, expect=200, **options):
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if not path.startswith("/_"):
            path = "/_matrix/client/v3" + path
        answer = self.http.request(method, self.server.url + path, headers=headers,
                                   timeout=options.pop("timeout", REQUEST_LIMIT_SECONDS), **options)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer

    def get(self, path, expect=200, **options):
        return self.request("GET", path, expect, **options).json()

    def put(self, path, body, expect=200, **options):
        return self.request("PUT", path, expect, json=body, **options).json()

    def post(self, path, body=None, expect=200, **options):
        return self.request("POST", path, expect, json={} if body is None else body, **options).json()

    def delete(self, path, expect=200, **options):
        return self.request("DELETE", path, expect, **options).json()

    def create_room(self, **body):
        return self.post("/createRoom", body)["room_id"]

    def send(self, room_id, text="hello", txn_id=None, type="m.room.message", content=None, expect=200):
        body = content if content is not None else {"msgtype": "m.text", "body": text}
        answer = self.put(f"/rooms/{room_id}/send/{type}/{txn_id or uuid.uuid4().hex}", body, expect)
        return answer.get("event_id", answer)

    def join(self, room_id, expect=200):
        return self.post(f"/join/{room_id}", {}, expect)

    def sync(self, timeout_ms=0, **parameters):
        if self.since:
            parameters.setdefault("since", self.since)
        answer = self.get("/sync", params={"timeout": timeout_ms, **parameters}, timeout=timeout_ms / 1000 + 60)
        self.since = answer["next_batch"]
        return answer

    def timeline(self, room_id, limit=100):
        return self.get(f"/rooms/{room_id}/messages", params={"dir": "b", "limit": limit})["chunk"]


class ModelServer:
    """tests/model_server on a free port."""

    def __init__(self):
        self.process = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests" / "model_server" / "model_server.py")],
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def control(self, **command):
        requests.post(self.url + "/control", json=command, timeout=10).raise_for_status()

    def requests(self):
        return requests.get(self.url + "/requests", timeout=10).json()

    def stop(self):
        self.process.kill()
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def wait_for(condition, seconds=30, what="the condition"):
    """Polls until `condition()` is true; tests count, they do not time, so the limit is generous."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds} seconds")
