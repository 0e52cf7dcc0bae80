"""HTTP by hand: many requests in one write, and requests that no client library would send."""

import json
import socket
from dataclasses import dataclass

from requests.structures import CaseInsensitiveDict

LIMIT_SECONDS = 120


@dataclass
class Answer:
    """As `requests` has it, as far as a probe looks."""

    status_code: int
    headers: CaseInsensitiveDict
    content: bytes

    @property
    def text(self):
        return self.content.decode()

    def json(self):
        return json.loads(self.content)


class Connection:
    def __init__(self, url):
        self.host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((self.host, int(port)), timeout=LIMIT_SECONDS)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def head(self, method, path, who=None, length=0):
        token = f"Authorization: Bearer {who.token}\r\n" if who else ""
        return f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{token}Content-Length: {length}\r\n\r\n".encode()

    def send(self, data):
        self.socket.sendall(data)

    def read(self):
        """The next answer; None where the server has closed."""
        line = self.reader.readline()
        if not line:
            return None
        headers = CaseInsensitiveDict()
        while (field := self.reader.readline().strip()):
            name, value = field.decode().split(":", 1)
            headers[name] = value.strip()
        return Answer(int(line.split()[1]), headers, self.reader.read(int(headers.get("Content-Length", 0))))
