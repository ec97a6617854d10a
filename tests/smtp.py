"""A small SMTP server for tests: it takes letters, may want a password, and may refuse."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast


class Mailbox:
    """The letters that came, and how the server answers."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.logins: list[str] = []
        self.refuses: dict[str, bytes] = {}
        """Command -> the answer that refuses it."""
        self.port = 0


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        box: Mailbox = cast(Any, self.server).box
        to: list[str] = []
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper().decode()
            if command in box.refuses:
                self.wfile.write(box.refuses[command] + b"\r\n")
                continue
            if command == "EHLO":
                self.wfile.write(b"250-test\r\n250 AUTH PLAIN\r\n")
                continue
            if command == "AUTH":
                box.logins.append(base64.b64decode(line.split()[2]).decode().replace("\0", "|"))
                self.wfile.write(b"235 ok\r\n")
                continue
            if command == "RCPT":
                to.append(line.decode().partition("<")[2].partition(">")[0])
            if command == "DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part.removeprefix(b".") if part.startswith(b"..") else part
                box.letters.append(cast(EmailMessage, message_from_bytes(body, policy=policy.default)))
                box.receivers.append(to)
                to = []
            self.wfile.write(b"221 bye\r\n" if command == "QUIT" else b"250 ok\r\n")
            if command == "QUIT":
                return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


@contextmanager
def smtp() -> Iterator[Mailbox]:
    """Run the server on a free port of this machine."""
    box = Mailbox()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        cast(Any, server).box = box
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
