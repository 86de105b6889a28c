"""One request to mockd, and the error if it does not do what it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

# What is between tests and a mock on their own machine is no proxy.
_opener = build_opener(ProxyHandler({}))


class MockdError(Exception):
    """mockd refused a request, or could not be reached."""

    def __init__(self, message: str, *, status: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        #: The status code of the answer; None if there was none, in which case ``__cause__`` says why.
        self.status = status
        #: The field of the request that is wrong, such as ``orders[2].amount``, if it is one.
        self.field = field


class Answer(NamedTuple):
    text: str
    headers: Mapping[str, str]


class Connection:
    """Where a mockd listens, and the secret that lets us control it."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"{url} is not the URL of a mockd; it looks like http://127.0.0.1:3000")
        self._token = token

    def send(self, method: str, path: str, payload: object = None) -> Answer:
        """The answer to a request with JSON, or without a body."""
        where = f"{method} {self.url}{path}"
        request = Request(self.url + path, method=method)
        if payload is not None:
            request.data = json.dumps(payload).encode()
            request.add_header("content-type", "application/json")
        if self._token:
            request.add_header("authorization", f"Bearer {self._token}")
        try:
            with _opener.open(request) as answer:
                return Answer(answer.read().decode(), answer.headers)
        except HTTPError as error:
            raise _refusal(where, error.code, error.read().decode(errors="replace")) from None
        except (URLError, OSError) as error:
            raise MockdError(f"mockd cannot be reached, is it still running? {where}: {error}") from error

    def json(self, method: str, path: str, payload: object = None) -> Any:
        text = self.send(method, path, payload).text
        try:
            return json.loads(text)
        except ValueError as error:
            raise MockdError(f"this is no mockd, its answer is not JSON: {method} {self.url}{path}") from error


def _refusal(where: str, status: int, text: str) -> MockdError:
    try:
        said = json.loads(text)
        message, field = said["message"], said.get("field")
    except (ValueError, KeyError, TypeError, AttributeError):
        # Something between us and mockd answered in its own way.
        message, field = text, None
    return MockdError(f"{message} ({where} was answered with {status})", status=status, field=field)
