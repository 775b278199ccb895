"""The websocket client against the protocol, byte by byte."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from facet.launcher.websocket import GUID, WebSocket


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 1 << 16:
        length = bytes([126]) + size.to_bytes(2, "big")
    else:
        length = bytes([127]) + size.to_bytes(8, "big")
    return bytes([opcode | (0x80 if final else 0)]) + length + payload


@contextmanager
def peer(frames: bytes, accept: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one handshake, sends `frames` and keeps what it is sent."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(4096).decode()
            key = request.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
            answer = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            head = f"HTTP/1.1 101 X\r\nSec-WebSocket-Accept: {answer if accept else 'no'}\r\n\r\n"
            connection.sendall(head.encode() + frames)
            connection.settimeout(120)
            connection.shutdown(socket.SHUT_WR)
            while received_part := connection.recv(4096):
                received.append(received_part)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}/ws?clientId=x", received
    thread.join(120)
    listener.close()


def messages(frames: bytes) -> tuple[list[str], bytes]:
    with peer(frames) as (url, received):
        client = WebSocket(url)
        found = list(client)
        client.close()
    return found, b"".join(received)


def test_messages_of_every_length_come_whole() -> None:
    sent = ["short", "m" * 300, "l" * 70_000]
    frames = b"".join(frame(1, text.encode()) for text in sent) + frame(8, b"")
    assert messages(frames)[0] == sent


def test_a_message_in_parts_is_put_together_around_a_ping() -> None:
    frames = frame(1, b"one ", final=False) + frame(9, b"?") + frame(0, "è".encode())
    found, answered = messages(frames + frame(8, b""))
    assert found == ["one è"]
    assert answered[0] == 0x8A, "the ping was not answered with a pong"
    mask, masked = answered[2:6], answered[6:7]
    assert bytes(b ^ m for b, m in zip(masked, mask, strict=False)) == b"?"


def test_pictures_are_passed_over() -> None:
    frames = frame(2, b"\x89PNG") + frame(1, b"text") + frame(8, b"")
    assert messages(frames)[0] == ["text"]


@pytest.mark.parametrize("rest", [b"", b"\x81", b"\x81\x7e\x01", b"\x81\x05tex"])
def test_a_connection_that_breaks_ends_the_messages(rest: bytes) -> None:
    assert messages(frame(1, b"text") + rest)[0] == ["text"]


def test_a_server_that_speaks_something_else_is_refused() -> None:
    with peer(b"", accept=False) as (url, _), pytest.raises(ConnectionError):
        WebSocket(url)
