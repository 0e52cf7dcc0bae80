"""A model server for the tests: OpenAI's chat completions, streamed, as servers of that protocol really speak it.

It holds no model: what it answers is set by command, and so are its faults. Run it by itself:

    python3 tests/model_server/model_server.py --port 0        prints "listening on http://127.0.0.1:PORT"

Commands (POST /control, JSON): {"fault": NAME, "times": N} makes the next N answers (all, without N) go wrong;
{"answer": TEXT} sets the text, {"piece": N} how many of its characters come at once; {"delay_ms": N} waits before each
piece; {"reset": true} forgets all of it. What a request says of max_tokens is not looked at.
GET /requests lists what came: path, authorization, body, and raw, the exact bytes; GET /count only how many; GET /gone
how many of those that hung or were endless were given up by the client.
Faults: hang, error_NNN (any status), retry_later, retry_at, garbage, html, cut, cut_json, slow, stall, wrong_usage, zero_usage,
no_usage, no_done, never_closed, split_utf8, keep_alive, keep_alive_only, reasoning, reasoning_then_error, sensitive,
error_in_stream, huge_line, endless, empty, no_response, redirect, tool_call; no_json_mode (400 for a response_format) and
least_of_dialect (422 for a stream_options too, and no usage), as some servers are.
"""

import argparse
import asyncio
import json
import re
import time
from email.utils import formatdate

MAX_BODY_BYTES = 4 * 1024 * 1024


class ModelServer:
    def __init__(self, model="test-model"):
        self.model = model
        self.requests = []
        self.count = 0
        self.gone = 0
        self.reset()

    def reset(self):
        self.fault = None
        self.fault_times = None
        self.answer = None
        self.delay_seconds = 0.0
        self.piece = 3

    def take_fault(self):
        """The fault for this answer, counting it off."""
        if self.fault is None or self.fault_times == 0:
            return None
        if self.fault_times is not None:
            self.fault_times -= 1
        return self.fault

    def text_for(self, body):
        if self.answer is not None:
            return self.answer
        if body.get("response_format", {}).get("type") == "json_object":
            return json.dumps({"suggestions": ["好的，没问题 👌", "抱歉，这次不行", "几点开始？"]}, ensure_ascii=False)
        words = [m["content"] for m in body["messages"] if m["role"] == "user"]
        return "模型译文：" + words[-1] if words else "你好"

    async def handle(self, reader, writer):
        try:
            while await self.handle_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def handle_one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if ":" in line)}
        length = int(headers.get("content-length", 0))
        if length > MAX_BODY_BYTES:
            return await self.plain(writer, 413, {"error": {"message": "too large"}})
        raw = await reader.readexactly(length)
        if path == "/control":
            return await self.control(writer, json.loads(raw))
        if path == "/requests":
            return await self.plain(writer, 200, self.requests)
        if path in ("/count", "/gone"):
            return await self.plain(writer, 200, {"count": self.count, "gone": self.gone})
        if path.endswith("/models") and method == "GET":
            return await self.plain(writer, 200, {"object": "list", "data": [
                {"id": self.model, "object": "model"}, {"id": self.model + ":cloud", "object": "model"}]})
        if path.endswith("/chat/completions") and method == "POST":
            body = json.loads(raw)
            self.requests.append({"path": path, "authorization": headers.get("authorization"), "body": body,
                                  "raw": raw.decode("utf-8")})
            self.count += 1
            del self.requests[:-1000]
            return await self.complete(reader, writer, body)
        return await self.plain(writer, 404, {"error": {"message": "no such path"}})

    async def control(self, writer, command):
        if command.get("reset"):
            self.reset()
            self.requests.clear()
            self.count = self.gone = 0
        if "fault" in command:
            self.fault, self.fault_times = command["fault"], command.get("times")
        if "answer" in command:
            self.answer = command["answer"]
        if "piece" in command:
            self.piece = command["piece"]
        if "delay_ms" in command:
            self.delay_seconds = command["delay_ms"] / 1000
        return await self.plain(writer, 200, {})

    async def plain(self, writer, status, value, content_type="application/json", raw=None):
        data = raw if raw is not None else json.dumps(value, ensure_ascii=False).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()
        return True

    def chunk(self, delta=None, finish=None, **more):
        value = {"id": "c1", "object": "chat.completion.chunk", "model": self.model,
                 "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}
        return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"

    async def until_gone(self, reader):
        await reader.read(1)
        self.gone += 1
        return False

    async def complete(self, reader, writer, body):
        fault = self.take_fault()
        if fault == "hang":
            return await self.until_gone(reader)
        if fault == "no_response":
            return False
        if re.fullmatch(r"error_\d{3}", fault or ""):
            return await self.plain(writer, int(fault[-3:]), {"error": {"message": "server says no"}})
        unknown = {"no_json_mode": ["response_format"], "least_of_dialect": ["response_format", "stream_options"]}.get(fault, [])
        if any(name in body for name in unknown):
            return await self.plain(writer, 400 if fault == "no_json_mode" else 422, {"error": "extra inputs are not permitted"})
        if fault == "retry_at":  # a server whose clock is a day behind
            then = [formatdate(time.time() - 86_400 + later, usegmt=True).encode() for later in (0, 60)]
            writer.write(b"HTTP/1.1 503 X\r\nDate: %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n" % tuple(then))
            await writer.drain()
            return True
        if fault == "retry_later":
            writer.write(b"HTTP/1.1 429 X\r\nRetry-After: 8\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return True
        if fault == "redirect":
            writer.write(b"HTTP/1.1 307 X\r\nLocation: /v1/elsewhere/chat/completions\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return True
        if fault == "html":
            return await self.plain(writer, 200, None, "text/html", b"<html>not a model</html>")
        if fault == "garbage":
            return await self.plain(writer, 200, None, "text/event-stream", b"data: \x00\xff\xfe garbage\n\n" * 20)
        if fault == "empty":
            return await self.plain(writer, 200, None, "text/event-stream", b"")

        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        text = self.text_for(body)
        pieces = [text[i:i + self.piece] for i in range(0, len(text), self.piece)]

        async def send(data):
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()

        if fault == "keep_alive":
            for _ in range(5):
                await send(b": keep-alive\n\n")
                await asyncio.sleep(0.05)
        if fault == "keep_alive_only":
            try:
                while not reader.at_eof():
                    await send(b": keep-alive\n\n")
                    await asyncio.sleep(0.2)
            except ConnectionError:
                pass
            self.gone += 1
            return False
        if fault == "tool_call":
            call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "delete_all", "arguments": "{}"}}
            await send(self.chunk({"role": "assistant", "content": None, "tool_calls": [call]}))
        if fault in ("reasoning", "reasoning_then_error"):
            await send(self.chunk({"role": "assistant", "reasoning_content": "let me think"}))
        if fault in ("error_in_stream", "reasoning_then_error"):
            await send(b'data: {"error": {"message": "out of memory"}}\n\n')
            await send(b"")
            return True
        if fault == "huge_line":
            await send(b"data: " + b"x" * (3 * 1024 * 1024))
            return False
        await send(self.chunk({"role": "assistant", "content": ""}))
        for index, piece in enumerate(pieces):
            if self.delay_seconds or fault == "slow":
                await asyncio.sleep(self.delay_seconds or 0.5)
            if fault == "cut" and index == 1:
                writer.transport.abort()
                return False
            if fault == "stall" and index == 1:
                return await self.until_gone(reader)
            if fault == "cut_json" and index == 1:
                await send(b'data: {"choices":[{"delta":{"con')
                await send(b"")
                return True
            data = self.chunk({"content": piece})
            if fault == "split_utf8":
                for at in range(len(data)):
                    await send(data[at:at + 1])
            else:
                await send(data)
        try:
            while fault == "endless":
                await asyncio.sleep(self.delay_seconds)
                await send(self.chunk({"content": "more and more "}))
        except ConnectionError:
            self.gone += 1
            return False
        await send(self.chunk(finish="sensitive" if fault == "sensitive" else "stop"))
        prompt = sum(len(m["content"]) for m in body["messages"])
        usage = {"prompt_tokens": prompt // 4 + 1, "completion_tokens": len(text) // 4 + 1}
        if fault == "wrong_usage":
            usage = {"prompt_tokens": -5, "completion_tokens": "many"}
        if fault == "zero_usage":
            usage = {"prompt_tokens": 0, "completion_tokens": 0}
        if fault not in ("no_usage", "least_of_dialect"):
            await send(b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n")
        if fault == "never_closed":
            return await self.until_gone(reader)
        if fault != "no_done":
            await send(b"data: [DONE]\n\n")
        await send(b"")
        return True


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="test-model")
    options = parser.parse_args()
    server = await asyncio.start_server(ModelServer(options.model).handle, "127.0.0.1", options.port, limit=256 * 1024)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
