"""A websocket client in a page (RFC 6455): text messages in, answers to pings out."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """A connection to `ws://host:port/path?query`, which may be silent for as long as it likes.

    Raises OSError when the server cannot be reached or does not speak websocket.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        self.socket = socket.create_connection((host, port), timeout=120)
        self.file = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {parts.path or '/'}?{parts.query} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        status = self.file.readline().split(b" ")
        headers = {}
        for line in iter(self.file.readline, b"\r\n"):
            if not line:
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        expected = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if status[1:2] != [b"101"] or headers.get("sec-websocket-accept") != expected:
            self.close()
            raise ConnectionError(f"{url} does not answer as a websocket")
        self.socket.settimeout(None)

    def __iter__(self) -> Iterator[str]:
        """Text messages as they come, until the server closes; binary ones are passed over."""
        try:
            yield from self.messages()
        except (EOFError, ConnectionError):
            return

    def messages(self) -> Iterator[str]:
        message, kind = b"", 0
        while True:
            head = self.read(2)
            final, opcode, length = head[0] & 0x80, head[0] & 0xF, head[1] & 0x7F
            if length == 126:
                [length] = struct.unpack(">H", self.read(2))
            elif length == 127:
                [length] = struct.unpack(">Q", self.read(8))
            payload = self.read(length)
            if opcode == CLOSE:
                return
            if opcode == PING:
                self.send(PONG, payload)
            elif opcode != PONG:
                kind = opcode or kind
                message = message + payload if opcode == 0 else payload
                if final and kind == TEXT:
                    yield message.decode("utf-8")

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes; raises EOFError when the connection ends before them."""
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def send(self, opcode: int, payload: bytes) -> None:
        """Send one frame, masked as a client must."""
        mask = os.urandom(4)
        size = len(payload)
        length = struct.pack(">B", 0x80 | size) if size < 126 else struct.pack(">BH", 0xFE, size)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def close(self) -> None:
        self.file.close()
        self.socket.close()
