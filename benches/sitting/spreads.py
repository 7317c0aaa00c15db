"""From the records of a sitting to medians, spreads and ratios."""
import dataclasses
import statistics

# A rate of the open model that was held, as a share of what was asked for.
HELD = 0.99


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median and extremes of one figure over the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        """None of no values."""
        values = list(values)
        return cls(statistics.median(values), min(values), max(values)) if values else None


def chosen(records, **place):
    """The records of a place: target, model, connections, tool, in any combination."""
    return [one for one in records if all(one[key] == value for key, value in place.items())]


def spread(records, figure):
    """The spread of a figure over those records that have it."""
    return Spread.of(one[figure] for one in records if figure in one)


def share(records, over, under):
    """The spread of one figure divided by another of the same record."""
    return Spread.of(one[over] / one[under] for one in records if one.get(under))


def ratio(records, own, peer, figure, turned=False):
    """How many times the peer's figure ours is, round by round; `turned`: the peer's by ours."""
    mine = {one["round"]: one[figure] for one in chosen(records, tool=own) if figure in one}
    theirs = {one["round"]: one[figure] for one in chosen(records, tool=peer) if figure in one}
    pairs = [(mine[of], theirs[of]) for of in sorted(mine.keys() & theirs.keys())]
    return Spread.of(b / a if turned else a / b for a, b in pairs)


def judged(own, peer, more_is_better):
    """`better`, `worse` or `even`: our spread held against a peer's; even where they overlap."""
    if own.low > peer.high:
        return "better" if more_is_better else "worse"
    if own.high < peer.low:
        return "worse" if more_is_better else "better"
    return "even"


def held(records, rate):
    """Whether every turn kept the rate that was asked for, and dropped nothing."""
    return all(one["rate"] >= HELD * rate and not one["dropped"] for one in records if "rate" in one)


def exceeded(records, rate):
    """The most by which a turn sent more than was asked for, as a share of it; 0 within the tolerance."""
    most = max((one["rate"] / rate - 1 for one in records if "rate" in one), default=0.0)
    return most if most > 1 - HELD else 0.0


def miscount(one):
    """How far a tool's own count is from the server's, as a share of the latter.

    A tool does not count what was under way at its end, at most one request for each connection, so
    that much less is no difference.
    """
    difference = one["server_counted"] - one["requests"]
    if 0 <= difference <= one["connections"]:
        return 0.0
    return abs(difference) / max(1, one["server_counted"])
