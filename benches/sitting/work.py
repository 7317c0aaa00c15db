"""What a load generator has to do, and what came of it."""
import dataclasses

# The body of those that send one body for all requests.
FIXED_BODY = '{"userId":"123456"}'


class Unreadable(Exception):
    """What a tool has printed is not what its version is known to print."""


@dataclasses.dataclass(frozen=True)
class Work:
    """POST with a JSON body over connections that are kept, for some seconds."""

    url: str  # scheme, host and port
    path: str
    status: int  # of an answer that is no error
    connections: int
    seconds: int
    rate: int | None = None  # iterations started in a second; None: the closed model

    @property
    def model(self):
        """How requests start: when the one before was answered, or by the clock."""
        return "closed" if self.rate is None else "open"


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a tool says of its own run."""

    requests: int  # that were answered, whatever the answer was
    seconds: float  # in which they were
    errors: int  # wrong answers, connections that failed, time-outs
    dropped: int = 0  # iterations of the open model that could not start when they were due

    @property
    def rate(self):
        """Requests in a second."""
        return self.requests / self.seconds
