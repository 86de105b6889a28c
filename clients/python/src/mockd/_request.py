"""Requests to mockd, and the error for rejected ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

# The proxies of the environment are not meant for a local mock.
_opener = build_opener(ProxyHandler({}))


class MockdError(Exception):
    """mockd rejected a request or could not be reached."""

    def __init__(self, message: str, *, status: int | None = None, field: str | None = None) -> None:
        super().__init__(message)
        #: The status code of the answer. ``None`` if mockd did not answer; ``__cause__`` is the reason.
        self.status = status
        #: The invalid field of the request, such as ``orders[2].amount``, if a field is at fault.
        self.field = field


class Answer(NamedTuple):
    text: str
    headers: Mapping[str, str]


class Connection:
    """The address of a mockd, and the secret of its control API."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"expected a URL such as http://127.0.0.1:3000, found {url}")
        self._token = token

    def send(self, method: str, path: str, payload: object = None) -> Answer:
        """Sends a request with ``payload`` as JSON, or without a body, and returns the answer."""
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
            raise _rejection(where, error.code, error.read().decode(errors="replace")) from None
        except (URLError, OSError) as error:
            raise MockdError(f"cannot reach mockd; is it still running? {where}: {error}") from error

    def json(self, method: str, path: str, payload: object = None) -> Any:
        text = self.send(method, path, payload).text
        try:
            return json.loads(text)
        except ValueError as error:
            raise MockdError(f"not a mockd server: the answer is not JSON: {method} {self.url}{path}") from error


def _rejection(where: str, status: int, text: str) -> MockdError:
    try:
        body = json.loads(text)
        message, field = body["message"], body.get("field")
    except (ValueError, KeyError, TypeError, AttributeError):
        # The answer may be from a proxy.
        message, field = text, None
    return MockdError(f"{message} ({where} returned {status})", status=status, field=field)
