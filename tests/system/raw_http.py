"""HTTP by hand: bytes out, answers in. For what no client library would send."""

import socket


class Connection:
    """One socket. Its limit is for broken tests, never a measure."""

    def __init__(self, server, source="127.0.0.1", address=None):
        host, port = (address or server.listen).split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120, source_address=(source, 0))
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def read_until(self, mark):
        while mark not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError(f"closed after {self.buffer[:300]!r}")
            self.buffer += piece
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def read_answer(self, to_head=False):
        head = self.read_until(b"\r\n\r\n").decode()
        lines = head.split("\r\n")
        answer = Answer(int(lines[0].split(" ")[1]), {})
        for line in lines[1:]:
            name, value = line.split(":", 1)
            answer.headers[name.lower()] = value.strip()
        if to_head or answer.status in (100, 204, 304):
            return answer
        length = int(answer.headers.get("content-length", 0))
        while len(self.buffer) < length:
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.buffer += piece
        answer.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return answer

    def is_closed(self):
        """Reads to the end: true once the server closes, whatever comes before."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Answer:
    def __init__(self, status, headers):
        self.status = status
        self.headers = headers
        self.body = b""


def send_raw(server, data):
    """All the bytes at once, then everything that comes until the server closes."""
    with Connection(server) as connection:
        try:
            connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was sent
        received = b""
        try:
            while piece := connection.socket.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received
