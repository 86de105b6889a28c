# Made from mockd's OpenAPI document by generate.py.

from __future__ import annotations

from typing import Any, Literal, NotRequired, Optional, TypeAlias, Union

from typing_extensions import TypedDict


class ErrorAnswer(TypedDict):
    """
    An error.
    """

    statusCode: int
    error: str
    message: str
    field: NotRequired[str | None]
    problems: NotRequired[Any]


Health: TypeAlias = Literal['ok', 'degraded']


class CategoryAnswer(TypedDict):
    """
    A category.
    """

    name: str
    prefix: str
    products: int


RouteKind: TypeAlias = Literal['answer', 'stream', 'list', 'get', 'add', 'replace', 'merge', 'remove', 'order', 'socket']


class ReloadAnswer(TypedDict):
    """
    The result of the last save of the scenario file.
    """

    ok: bool
    count: int
    changes: list[dict[str, Any]]
    more: NotRequired[int | None]
    warnings: NotRequired[str | None]
    error: NotRequired[str | None]
    problems: NotRequired[Any]


Duration: TypeAlias = str


On: TypeAlias = Literal['http', 'websocket', 'stream']


Share: TypeAlias = str


class Spread(TypedDict, closed=True):
    """
    A distribution of times: `min` and `max` (uniform), `mean` and `jitter` (uniform around it), `mean` and `deviation`
    (normal), or `median` and `sigma` (lognormal).
    """

    min: NotRequired[Duration | None]
    max: NotRequired[Duration | None]
    mean: NotRequired[Duration | None]
    jitter: NotRequired[Duration | None]
    deviation: NotRequired[Duration | None]
    median: NotRequired[Duration | None]
    sigma: NotRequired[float | None]


Timeout: TypeAlias = Literal['never'] | Duration


Corrupt: TypeAlias = Literal['json', 'utf8', 'oversized', 'type']


class SnapshotAnswer(TypedDict):
    """
    A saved state that can be restored.
    """

    name: str
    at: Duration


EventName: TypeAlias = Literal['total', 'added', 'merged', 'replaced', 'removed', 'set', 'sent', 'skipped', 'fault-began', 'fault-ended']


class PatchRequest(TypedDict, closed=True):
    """
    Totals or data to set: exactly one of the two.
    """

    totals: NotRequired[dict[str, Any] | None]
    data: NotRequired[dict[str, Any] | None]


class Done(TypedDict):
    """
    A successful change.
    """

    ok: bool


class ResetRequest(TypedDict, closed=True):
    """
    How to reset a world.
    """

    seed: NotRequired[int | None]


class ClockAnswer(TypedDict):
    """
    The state of a clock.
    """

    at: Duration
    paused: bool
    speed: float
    nextDue: NotRequired[Duration | None]


class ClockRequest(TypedDict, closed=True):
    """
    A change to the clock, which first advances and then continues at the new pace. A client that disconnects before the
    answer stops the advance where it is.
    """

    pause: NotRequired[bool | None]
    resume: NotRequired[bool | None]
    speed: NotRequired[float | None]
    advance: NotRequired[Duration | None]
    advance_to: NotRequired[Duration | None]
    step: NotRequired[int | None]


class OrderRequest(TypedDict, closed=True):
    id: str | int
    amount: int


Repeat: TypeAlias = Literal['forever'] | int


class Send(TypedDict, closed=True):
    """
    A frame for the members of topics, or for all sockets of an endpoint.
    """

    to: NotRequired[str | list[Any] | None]
    frame: Any
    others: NotRequired[bool | None]


Leaving = TypedDict(
    'Leaving',
    {
        'to': NotRequired[str | list[Any] | None],
        'as': NotRequired[Any],
    },
    closed=True,
)


class Closing(TypedDict, closed=True):
    """
    The close code and the reason.
    """

    code: NotRequired[int | str | None]
    reason: NotRequired[str | None]


class Order(TypedDict, closed=True):
    """
    An order of a product.
    """

    product: str | float | None
    amount: int | str | dict[str, Any] | None


class NamedDataAnswer1(TypedDict):
    """
    A collection or a value.
    """

    name: str
    count: int
    rows: list[dict[str, Any]]


class NamedDataAnswer2(TypedDict):
    """
    A collection or a value.
    """

    name: str
    value: Any


NamedDataAnswer: TypeAlias = NamedDataAnswer1 | NamedDataAnswer2


class ListingAnswer(TypedDict):
    """
    A category with its products.
    """

    name: str
    products: list[dict[str, Any]]


class StepAnswer(TypedDict):
    """
    A step of a script.
    """

    at: Duration
    step: dict[str, Any]


class GeneratorAnswer(TypedDict):
    """
    A generator.
    """

    generator: str
    began: Duration
    due: NotRequired[Duration | None]
    declared: dict[str, Any]


class WaitingAnswer(TypedDict):
    """
    Scheduled steps of a rule.
    """

    rule: str
    due: Duration


class SnapshotsAnswer(TypedDict):
    """
    All snapshots of a world.
    """

    snapshots: list[SnapshotAnswer]


class SnapshotRequest(TypedDict, closed=True):
    """
    A snapshot to save.
    """

    name: str


Kind: TypeAlias = Literal['request', 'opened', 'closed', 'sent', 'received', 'behind', 'faulted', 'failed']


class AnswerShape(TypedDict):
    number: NotRequired[int | None]
    status: int
    notes: NotRequired[list[str] | None]
    body: NotRequired[Any]
    text: NotRequired[str | None]
    bytes: NotRequired[int | None]
    cutFrom: NotRequired[int | None]


class MarkShape(TypedDict):
    fault: str
    did: str


RuleName: TypeAlias = int | str


class Dropped(TypedDict):
    """
    The numbers of entries dropped from a journal because it is bounded.
    """

    sent: int
    other: int


class Difference(TypedDict):
    """
    A difference between an entry and an expectation.
    """

    field: str
    expected: Any
    found: Any


ExpectedQuery: TypeAlias = str | dict[str, Any]


class SocketAnswer(TypedDict):
    """
    An open socket or stream.
    """

    socket: int
    world: str
    category: NotRequired[str | None]
    stream: NotRequired[str | None]
    path: NotRequired[str | None]
    topics: NotRequired[list[str] | None]
    opened: Duration
    age: Duration
    sent: int
    received: int
    backlog: int
    caughtUp: int


class SlowAnswer(TypedDict):
    """
    How often sockets and streams have fallen further behind than their backlog allows, since the world was created.
    """

    caughtUp: int
    closed: int


Sort: TypeAlias = Literal['backlog']


class ClosedAnswer(TypedDict):
    """
    The sockets and streams that were closed.
    """

    closed: list[int]


class CloseRequest(TypedDict, closed=True):
    """
    How to close sockets. A stream simply ends, without a code or a reason.
    """

    code: NotRequired[int]
    reason: NotRequired[str]


class SendRequest(TypedDict, closed=True):
    """
    What to send: exactly one of the three fields. A stream receives it as an event.
    """

    text: NotRequired[str | None]
    json: NotRequired[Any]
    binary: NotRequired[str | None]


class WorldAnswer(TypedDict):
    """
    A world.
    """

    name: str
    path: str
    seed: int
    at: Duration
    paused: bool
    speed: float
    sockets: int


class WorldRequest(TypedDict, closed=True):
    """
    A world to create.
    """

    name: str
    seed: NotRequired[int | None]
    paused: NotRequired[bool | None]
    speed: NotRequired[float | None]


class ScenarioAnswer(TypedDict):
    """
    A scenario file.
    """

    file: str
    serving: bool


class SwitchRequest(TypedDict, closed=True):
    """
    The scenario file to serve.
    """

    file: str


class GetOpenapiJsonResponse(TypedDict):
    pass


class GetReloadParametersQuery(TypedDict):
    limit: NotRequired[int]


class GetStateParametersQuery(TypedDict):
    since: NotRequired[int]


class GetTranscriptParametersQuery(TypedDict):
    after: NotRequired[int]


class GetDataParametersQuery(TypedDict):
    name: NotRequired[str]
    rows: NotRequired[int]


class GetJournalParametersQuery(TypedDict):
    kind: NotRequired[Kind | None]
    method: NotRequired[str]
    path: NotRequired[str]
    route: NotRequired[str]
    status: NotRequired[int]
    socket: NotRequired[int]
    category: NotRequired[str]
    code: NotRequired[int]
    topic: NotRequired[str]
    fault: NotRequired[str]
    rule: NotRequired[str]
    why: NotRequired[str]
    bodyContains: NotRequired[str]
    after: NotRequired[int]
    limit: NotRequired[int]
    brief: NotRequired[bool]
    text: NotRequired[int]


class GetSocketsParametersQuery(TypedDict):
    limit: NotRequired[int]
    sort: NotRequired[Sort | None]


class HealthAnswer(TypedDict):
    """
    The health of the server.
    """

    status: Health
    version: str
    trouble: NotRequired[str | None]


class CategoriesAnswer(TypedDict):
    """
    The scenario that is served.
    """

    scenario: str
    categories: list[CategoryAnswer]


class RouteAnswer(TypedDict):
    """
    A route.
    """

    method: str
    path: str
    parameters: list[str]
    kind: RouteKind
    collection: NotRequired[str | None]
    route: NotRequired[str | None]


Latency: TypeAlias = Spread | Duration


class EventShape(TypedDict):
    """
    An event.
    """

    at: Duration
    sequence: int
    event: EventName
    id: NotRequired[Any]
    category: NotRequired[str | None]
    collection: NotRequired[str | None]
    row: NotRequired[dict[str, Any] | None]
    name: NotRequired[str | None]
    value: NotRequired[Any]
    topic: NotRequired[str | None]
    frame: NotRequired[Any]
    total: NotRequired[int | None]
    rule: NotRequired[str | None]
    reason: NotRequired[str | None]
    fault: NotRequired[str | None]


class Advanced(TypedDict):
    """
    The clock, and what happened during the advance.
    """

    at: Duration
    paused: bool
    speed: float
    nextDue: NotRequired[Duration | None]
    count: int
    events: list[EventShape]
    leftBehind: list[int]


class OrdersRequest(TypedDict, closed=True):
    """
    Orders to place one after the other, all or none.
    """

    orders: list[OrderRequest]


Leave: TypeAlias = str | list[str] | Leaving


Close: TypeAlias = int | str | Closing


class DataAnswer(TypedDict):
    """
    The current `data`.
    """

    data: list[NamedDataAnswer]


class ProductsAnswer(TypedDict):
    """
    All categories with their products.
    """

    categories: list[ListingAnswer]


class ScriptAnswer(TypedDict):
    """
    A script.
    """

    script: str
    began: NotRequired[Duration | None]
    length: NotRequired[Duration | None]
    round: int
    repeat: NotRequired[int | None]
    count: int
    begun: int
    due: NotRequired[Duration | None]
    first: int
    steps: list[StepAnswer]


class EntryShape(TypedDict):
    """
    An entry of the journal.
    """

    sequence: int
    at: Duration
    world: NotRequired[str | None]
    kind: Kind
    method: NotRequired[str | None]
    path: NotRequired[str | None]
    query: NotRequired[str | None]
    route: NotRequired[str | None]
    headers: NotRequired[dict[str, Any] | None]
    body: NotRequired[Any]
    binary: NotRequired[bool | None]
    text: NotRequired[str | None]
    bytes: NotRequired[int | None]
    cutFrom: NotRequired[int | None]
    answer: NotRequired[AnswerShape | None]
    socket: NotRequired[int | None]
    sockets: NotRequired[list[int] | None]
    topics: NotRequired[list[str] | None]
    count: NotRequired[int | None]
    status: NotRequired[int | None]
    number: NotRequired[int | None]
    event: NotRequired[int | None]
    category: NotRequired[str | None]
    stream: NotRequired[str | None]
    refused: NotRequired[str | None]
    nearest: NotRequired[str | None]
    code: NotRequired[int | None]
    by: NotRequired[str | None]
    faults: NotRequired[list[MarkShape] | None]
    fault: NotRequired[str | None]
    did: NotRequired[str | None]
    rule: NotRequired[RuleName | None]
    why: NotRequired[str | None]


class NearMiss(TypedDict):
    """
    An entry that almost matches.
    """

    entry: dict[str, Any]
    differences: list[Difference]


class Expectation(TypedDict, closed=True):
    """
    The entries that a test expects. Every given field must match; an entry without such a field does not match.
    Preflights count only if `method` is `OPTIONS`. Without `atLeast`, `atMost` and `exactly`, at least one entry must
    match.
    """

    kind: NotRequired[Kind | None]
    method: NotRequired[str | None]
    path: NotRequired[str | None]
    query: NotRequired[ExpectedQuery | None]
    headers: NotRequired[dict[str, Any] | None]
    route: NotRequired[str | None]
    status: NotRequired[int | None]
    body: NotRequired[Any]
    bodyEquals: NotRequired[Any]
    bodyContains: NotRequired[str | None]
    socket: NotRequired[int | None]
    category: NotRequired[str | None]
    code: NotRequired[int | None]
    topic: NotRequired[str | None]
    fault: NotRequired[str | None]
    rule: NotRequired[RuleName | None]
    why: NotRequired[str | None]
    after: NotRequired[int | None]
    atLeast: NotRequired[int | None]
    atMost: NotRequired[int | None]
    exactly: NotRequired[int | None]


class VerifyRequest(TypedDict, closed=True):
    """
    Expectations to check the journal against.
    """

    expect: list[Expectation]
    ordered: NotRequired[bool]


class SocketsAnswer(TypedDict):
    """
    All open sockets and streams of a world.
    """

    sockets: list[SocketAnswer]
    slow: SlowAnswer


class WorldsAnswer(TypedDict):
    """
    All worlds.
    """

    worlds: list[WorldAnswer]


class ScenariosAnswer(TypedDict):
    """
    The scenario files that mockd was started with. Folders are read again each time.
    """

    scenarios: list[ScenarioAnswer]


class RoutesAnswer(TypedDict):
    """
    The routes of the scenario.
    """

    routes: list[RouteAnswer]


Fault = TypedDict(
    'Fault',
    {
        'name': NotRequired[str | None],
        'on': On | None,
        'method': NotRequired[str | None],
        'path': NotRequired[str | None],
        'category': NotRequired[str | None],
        'product': NotRequired[str | float | None],
        'topic': NotRequired[str | None],
        'share': NotRequired[Share | None],
        'chance': NotRequired[Share | None],
        'skip': NotRequired[int | None],
        'times': NotRequired[int | None],
        'from': NotRequired[Duration | None],
        'until': NotRequired[Duration | None],
        'latency': NotRequired[Latency | None],
        'status': NotRequired[int | None],
        'body': NotRequired[Any],
        'retryAfter': NotRequired[Duration | None],
        'reset': NotRequired[bool | None],
        'after': NotRequired[int | None],
        'empty': NotRequired[bool | None],
        'bandwidth': NotRequired[int | None],
        'malformed': NotRequired[bool | None],
        'timeout': NotRequired[Timeout | None],
        'contentLength': NotRequired[int | None],
        'connect': NotRequired[Latency | None],
        'close': NotRequired[int | None],
        'reason': NotRequired[str | None],
        'freeze': NotRequired[bool | None],
        'drop': NotRequired[bool | None],
        'duplicate': NotRequired[bool | None],
        'reorder': NotRequired[int | None],
        'corrupt': NotRequired[Corrupt | None],
        'stale': NotRequired[bool | None],
        'storm': NotRequired[Duration | None],
        'ignore': NotRequired[bool | None],
    },
    closed=True,
)


class Happened(TypedDict):
    """
    The events that a request caused.
    """

    events: list[EventShape]


class TimelineAnswer(TypedDict):
    """
    The scheduled work of a world.
    """

    at: Duration
    scripts: list[ScriptAnswer]
    generators: list[GeneratorAnswer]
    waiting: list[WaitingAnswer]


class JournalAnswer(TypedDict):
    """
    Entries of a journal.
    """

    entries: list[EntryShape]
    dropped: Dropped


Finding = TypedDict(
    'Finding',
    {
        'pass': bool,
        'expected': str,
        'count': int,
        'matches': list[int],
        'why': NotRequired[str | None],
        'nearest': list[NearMiss],
    },
)


WaitRequest = TypedDict(
    'WaitRequest',
    {
        'for': Expectation,
        'timeout': NotRequired[Duration],
    },
    closed=True,
)


FaultAnswer = TypedDict(
    'FaultAnswer',
    {
        'id': int,
        'label': str,
        'source': str,
        'phase': str,
        'from': Duration,
        'until': NotRequired[Duration | None],
        'matched': int,
        'hit': int,
        'fault': Fault,
        'warnings': NotRequired[list[str]],
    },
)


Verdict = TypedDict(
    'Verdict',
    {
        'pass': bool,
        'findings': list[Finding],
        'dropped': Dropped,
    },
)


class FaultsAnswer(TypedDict):
    """
    All faults of a world.
    """

    faults: list[FaultAnswer]


class StateAnswer(TypedDict):
    """
    The state of a world at one moment.
    """

    world: str
    scenario: str
    seed: int
    at: Duration
    paused: bool
    speed: float
    nextDue: NotRequired[Duration | None]
    epoch: int
    sequence: int
    categories: list[CategoryAnswer]
    totals: dict[str, int]
    data: NotRequired[dict[str, Any] | None]
    faults: list[FaultAnswer]
    sockets: int
    snapshots: list[SnapshotAnswer]


class PostedSteps(TypedDict, closed=True):
    """
    Steps to run now, as one atomic operation.
    """

    do: list[RuleStep] | None


RuleStep1 = TypedDict(
    'RuleStep1',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': list["RuleStep"] | None,
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep2 = TypedDict(
    'RuleStep2',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': Any,
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep3 = TypedDict(
    'RuleStep3',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': Send | None,
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep4 = TypedDict(
    'RuleStep4',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': Optional["Join"],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep5 = TypedDict(
    'RuleStep5',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': Leave | None,
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep6 = TypedDict(
    'RuleStep6',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': Close | None,
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep7 = TypedDict(
    'RuleStep7',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': dict[str, Any] | None,
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep8 = TypedDict(
    'RuleStep8',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': dict[str, Any] | None,
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep9 = TypedDict(
    'RuleStep9',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': dict[str, Any] | None,
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep10 = TypedDict(
    'RuleStep10',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': dict[str, Any] | None,
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep11 = TypedDict(
    'RuleStep11',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': dict[str, Any] | None,
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep12 = TypedDict(
    'RuleStep12',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': dict[str, Any] | None,
        'order': NotRequired[Order | None],
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep13 = TypedDict(
    'RuleStep13',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': Order | None,
        'fault': NotRequired[Fault | None],
    },
    closed=True,
)


RuleStep14 = TypedDict(
    'RuleStep14',
    {
        'at': NotRequired[Duration | None],
        'after': NotRequired[Duration | None],
        'times': NotRequired[Repeat | None],
        'every': NotRequired[Duration | None],
        'when': NotRequired[str | bool | float | None],
        'each': NotRequired[list[Any] | str | None],
        'with': NotRequired[dict[str, Any] | None],
        'do': NotRequired[list["RuleStep"] | None],
        'reply': NotRequired[Any],
        'send': NotRequired[Send | None],
        'join': NotRequired[Optional["Join"]],
        'leave': NotRequired[Leave | None],
        'close': NotRequired[Close | None],
        'add': NotRequired[dict[str, Any] | None],
        'merge': NotRequired[dict[str, Any] | None],
        'replace': NotRequired[dict[str, Any] | None],
        'remove': NotRequired[dict[str, Any] | None],
        'increment': NotRequired[dict[str, Any] | None],
        'set': NotRequired[dict[str, Any] | None],
        'order': NotRequired[Order | None],
        'fault': Fault | None,
    },
    closed=True,
)


RuleStep: TypeAlias = RuleStep1 | RuleStep2 | RuleStep3 | RuleStep4 | RuleStep5 | RuleStep6 | RuleStep7 | RuleStep8 | RuleStep9 | RuleStep10 | RuleStep11 | RuleStep12 | RuleStep13 | RuleStep14


Join: TypeAlias = Union[str, list[str], "Membership"]


Membership = TypedDict(
    'Membership',
    {
        'to': str | list[Any] | None,
        'where': NotRequired[Any],
        'as': NotRequired[Any],
        'frame': NotRequired[Any],
        'do': NotRequired[list[RuleStep] | None],
    },
    closed=True,
)
