"""The error for a journal that does not match expectations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _api


class VerificationError(AssertionError):
    """The journal does not meet the expectations. The message lists the failed ones, each with the nearest entries."""

    def __init__(self, summary: str, expectations: Sequence[_api.Expectation], verdict: _api.Verdict) -> None:
        super().__init__("\n".join([summary, *_failures(expectations, verdict)]))
        self.verdict = verdict


def _failures(expectations: Sequence[_api.Expectation], verdict: _api.Verdict) -> Iterator[str]:
    for number, (expectation, finding) in enumerate(zip(expectations, verdict["findings"]), 1):
        if finding["pass"]:
            continue
        yield f"  {number}. {json.dumps(expectation, ensure_ascii=False)}"
        yield f"     {finding.get('why')}"
        for near in finding.get("nearest", []):
            entry = near["entry"]
            yield f"     near: entry {entry['sequence']}, {_describe(entry)}, at {entry['at']}"
            for difference in near["differences"]:
                expected, found = (json.dumps(difference[side], ensure_ascii=False) for side in ("expected", "found"))
                yield f"         {difference['field']}: expected {expected}, found {found}"
    dropped = verdict["dropped"]["sent"] + verdict["dropped"]["other"]
    if dropped:
        yield f"  {dropped} older entries are no longer in the journal and were not checked"


def _describe(entry: dict[str, Any]) -> str:
    if entry["kind"] != "request":
        sockets = entry.get("sockets") or [entry.get("socket")]
        return f"{entry['kind']}, socket {', '.join(map(str, sockets))}"
    request = f"{entry['method']} {entry['path']}"
    route = entry.get("route")
    if route is None:
        return request
    number = (entry.get("answer") or {}).get("number")
    return f"{request}, answer {number} of {route}" if number else f"{request}, no answer of {route}"
