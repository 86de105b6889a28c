"""Starts mockd from a test, gives each test its own world, and controls that world's clock, data and sockets.

Durations are strings as in scenarios (``"250ms"``, ``"10s"``, ``"1h30m"``), numbers of milliseconds, or ``timedelta``.
"""

from ._mockd import Mockd, connect
from ._request import MockdError
from ._start import StartedMockd, start
from ._verification import VerificationError
from ._world import World

__all__ = ["Mockd", "MockdError", "StartedMockd", "VerificationError", "World", "connect", "start"]
