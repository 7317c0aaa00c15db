"""docs/benchmarks.md from the records of a sitting: pure text from plain data."""
from . import spreads, targets, tools
from .spreads import chosen, spread

# What the project claims of itself, at 200 connections in the closed model on nginx.
CLAIMS = {"wrk": None, "oha": None, "goose": 2.0, "autocannon": None, "locust": 10.0, "k6": 10.0}
CLAIMED_AT = {"target": "nginx", "model": "closed", "connections": 200}
OWN, OTHER_ENGINE = tools.OWN, tools.OTHER_ENGINE

HOW = """\
## What is measured

The work is the same for all: HTTP POST with a small JSON body over connections that are kept. The load generator is pinned to one core and the server to another (`taskset`), so requests per second are those of one core. Everything is on one machine, over 127.0.0.1. In each round all tools have their turn, one after the other and beginning with another one each time, so that a slow minute of the machine meets all of them.

- **Requests per second**: as the tool counts them, over the time that it says. The server's own counter is read before and after each turn, and differences are told below.
- **CPU per request**: user and system time of the tool's process over its whole life, with its start and its report (`wait4`), by its requests. Of an interpreter that is a second or so at the start, which weighs more the fewer requests there are.
- **Memory**: the most that was resident (`ru_maxrss`, or `VmHWM` where that is below what the measuring process has itself).
- **Generator, server**: how much of its core each has used, of the time from the tool's start to its end. A server near 100 % is the limit of that row, and not the tool: then CPU per request tells more than requests per second.
- **Errors**: answers with another status than is due, connections that failed, time-outs, in all rounds. Below a table: who did not hold the rate of the open model, and how many iterations were dropped, as they were due and could not start.

In the closed model a connection asks again when it was answered. In the open model requests are due by a clock: {rate:,} a second, which all of those that have one are meant to hold; there CPU per request and memory are to be compared.
"""


def write(sitting, file="benchmarks.json"):
    """The whole document; its records are in that file beside it."""
    records, settings = sitting["records"], sitting["settings"]
    parts = [head(sitting, file)]
    if spread(chosen(records, tool=OWN, **CLAIMED_AT), "rate"):
        parts.append(ratios(records))
    if spread(chosen(records, tool=OWN), "rate"):
        parts.append(losses(records))
    if spread(chosen(records, tool=OTHER_ENGINE), "rate"):
        parts.append(engines(records))
    parts += [HOW.format(rate=settings["rate"]), machine(sitting), who(sitting)]
    for target in settings["targets"]:
        parts.append(of_target(records, settings, target))
    parts.append(doubts(sitting))
    return "\n".join(parts).rstrip() + "\n"


def head(sitting, file):
    settings = sitting["settings"]
    return (
        "# Benchmarks\n\n"
        "What fcfs-bench costs, beside what other load generators cost for the same work in the same "
        "sitting. The figures are of one machine on one day; ratios travel better than figures. This page "
        f"is written by `benches/peers`, from the records in [{file}]({file}).\n\n"
        f"- Date: {sitting['date']}\n"
        f"- Command: `{sitting['command']}`\n"
        f"- {plural(settings['rounds'], 'round')}, {settings['seconds']} s for each turn\n"
        f"- {circumstances(sitting)}\n"
    )


def circumstances(sitting):
    """One sentence on whether the machine was the sitting's alone."""
    records = [one for one in sitting["records"] if "rate" in one]
    if not records:
        return "Nothing was measured"
    others = max(one["others_cpu_s"] / one["wall_s"] for one in records)
    stolen = max(one["stolen_s"] / one["wall_s"] for one in records)
    load = sitting["machine"]["load_before"]
    quiet = others < 0.1 and stolen < 0.05
    judged = "The machine was quiet" if quiet else "**The machine was not quiet: other work was done meanwhile**"
    return (
        f"{judged}: load average {load:.2f} before, at most {others:.0%} of a core used by other "
        f"processes during a turn, at most {stolen:.0%} taken away by the host"
    )


def machine(sitting):
    """The machine and the versions."""
    of, cores = sitting["machine"], sitting["cores"]
    kind = "virtual machine" if of["virtual"] else "machine"
    lines = [
        "## Machine and versions\n",
        f"- {of['cpu']} ({of['family']}), {of['cores']} cores, {of['memory_gib']} GiB, {kind}",
        f"- {of['kernel']}",
        f"- Load generator on core {cores['generator']}, server on core {cores['server']}",
    ]
    of_tools = sitting["versions"].items()
    lines += [f"- {name}: {version.removeprefix(name).strip()}" for name, version in of_tools]
    missing = sitting["missing"]
    if missing:
        lines.append(f"- **Missing, and not measured: {', '.join(missing)}**")
    lines.append("- Not there: wrk2, which is no package of Debian")
    return "\n".join(lines) + "\n"


def who(sitting):
    """What each tool does, and does not do, in this work."""
    lines = ["## What each of them does\n", "| Tool | Does | Leaves out |", "|---|---|---|"]
    for name, tool in tools.ALL.items():
        if name in sitting["settings"]["tools"]:
            lines.append(f"| {name} | {tool.does} | {tool.leaves_out} |")
    lines.append("\nThe servers:\n")
    for name in sitting["settings"]["targets"]:
        lines.append(f"- **{name}**: {targets.ALL[name].about}.")
    return "\n".join(lines) + "\n"


def ratios(records):
    """The ratios that are claimed."""
    here = chosen(records, **CLAIMED_AT)
    lines = [
        "## In short\n",
        "On nginx, 200 connections, closed model. How many times the requests per second of the other, and "
        "how many times the CPU of ours the other needs for a request: above 1 fcfs-bench is better, below "
        "1 the other is. Median of the rounds, in brackets the lowest and the highest. None of the others "
        "tells what an answer means, or keeps each attempt on disk; some send one body for all requests.\n",
        "| Beside | Requests per second | CPU per request | Claimed | |",
        "|---|--:|--:|--:|---|",
    ]
    for peer, claim in CLAIMS.items():
        rate = spreads.ratio(here, OWN, peer, "rate")
        if rate is None:
            lines.append(f"| {peer} | no data | no data | {claimed(claim)} | not measured |")
            continue
        cpu = spreads.ratio(here, OWN, peer, "cpu_us", turned=True)
        lines.append(f"| {peer} | {times(rate)} | {times(cpu)} | {claimed(claim)} | {verdict(rate, claim)} |")
    return "\n".join(lines) + "\n"


def claimed(claim):
    return f"{claim:g} or more" if claim else "–"


def verdict(rate, claim):
    """What the ratio of requests per second means."""
    if claim:
        if rate.low >= claim:
            return "holds"
        return "holds by the median, **not in every round**" if rate.median >= claim else "**does not hold**"
    if rate.low > 1:
        return "fcfs-bench sends more"
    return "**fcfs-bench sends less**" if rate.high < 1 else "no clear difference"


def engines(records):
    """The same scenario by both engines, side by side."""
    lines = [
        "## Both engines\n",
        "The same scenario by `engine: native` and by `engine: goose` ([engines.md](engines.md)). Errors are "
        "answers with another outcome than is due.\n",
        "| Server | Connections | Engine | Requests/s | CPU µs/request | Errors |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for target, model, connections in places(records):
        here = chosen(records, target=target, model=model, connections=connections)
        pair = [chosen(here, tool=tool) for tool in (OWN, OTHER_ENGINE)]
        if not all(spread(mine, "rate") for mine in pair):
            continue
        for engine, mine in zip(("native", "goose"), pair):
            rate, cpu = spread(mine, "rate"), spread(mine, "cpu_us")
            figures = [span(rate, lambda value: f"{value:,.0f}"), span(cpu, lambda value: f"{value:,.1f}")]
            errors = sum(one.get("errors", 0) for one in mine)
            lines.append(f"| {target} | {connections:,} | {engine} | {' | '.join(figures)} | {errors:,} |")
    return "\n".join(lines) + "\n"


def places(records):
    """Where something was measured: (target, model, connections)."""
    measured = [one for one in records if "rate" in one]
    return dict.fromkeys((one["target"], one["model"], one["connections"]) for one in measured)


def losses(records):
    """Every figure in which another tool is better than we are."""
    worse = []
    measured = [one for one in records if "rate" in one]
    for target, model, connections in places(records):
        here = chosen(measured, target=target, model=model, connections=connections)
        own = chosen(here, tool=OWN)
        if not own:
            continue
        for peer in dict.fromkeys(one["tool"] for one in here if one["tool"] != OWN):
            theirs = chosen(here, tool=peer)
            figures = [("cpu_us", "CPU", False), ("memory_bytes", "memory", False)]
            # By the clock all send the same.
            figures += [("rate", "requests", True)] if model == "closed" else []
            lost = [
                f"{word} {amount(spread(own, figure).median, spread(theirs, figure).median)}"
                for figure, word, more in figures
                if spreads.judged(spread(own, figure), spread(theirs, figure), more) == "worse"
            ]
            if lost:
                worse.append((target, model, connections, peer, ", ".join(lost)))
    if not worse:
        return "## Where fcfs-bench loses\n\nNowhere in this sitting.\n"
    lines = [
        "## Where fcfs-bench loses\n",
        "Each place in which the other was better in all rounds: the figure of fcfs-bench as a multiple of "
        "the other's.\n",
        "| Server | Model | Connections | Beside | Figures |",
        "|---|---|--:|---|---|",
    ]
    lines += [f"| {a} | {b} | {c:,} | {d} | {e} |" for a, b, c, d, e in worse]
    return "\n".join(lines) + "\n"


def amount(own, peer):
    return f"× {own / peer:.2f}"


def of_target(records, settings, target):
    """All tables of one server."""
    lines = [f"## On {target}\n"]
    for model in settings["models"]:
        for connections in settings["connections"]:
            here = chosen(records, target=target, model=model, connections=connections)
            lines.append(table(here, settings, model, connections))
    return "\n".join(lines)


COLUMNS = ["Tool", "Requests/s", "CPU µs/request", "Memory MB", "Errors", "Generator", "Server"]


def table(here, settings, model, connections):
    """One table: a row for each tool."""
    name = f"{model} model" if model == "closed" else f"{model} model, {settings['rate']:,} a second"
    lines = [f"### {plural(connections, 'connection')}, {name}\n"]
    lines += ["| " + " | ".join(COLUMNS) + " |", "|---" + "|--:" * (len(COLUMNS) - 1) + "|"]
    notes = []
    for tool in settings["tools"]:
        mine = chosen(here, tool=tool)
        if not any("rate" in one for one in mine):
            notes.append(f"{tool}: {why_not(mine)}.")
            continue
        lines.append(row(tool, mine))
        failed = [one["failed"] for one in mine if "failed" in one]
        if failed:
            notes.append(f"{tool}: failed in {len(failed)} of {plural(len(mine), 'round')}: {failed[0]}.")
        if model == "open" and not spreads.held(mine, settings["rate"]):
            dropped = sum(one.get("dropped", 0) for one in mine)
            notes.append(f"{tool}: **the rate was not held** ({dropped:,} dropped in all rounds).")
        if model == "open" and spreads.exceeded(mine, settings["rate"]):
            over = spreads.exceeded(mine, settings["rate"])
            notes.append(f"{tool}: **the rate was not held**: it sent up to {over:.0%} more than was asked.")
    return "\n".join(lines + [""] + [f"- {note}" for note in notes] + ([""] if notes else []))


def row(tool, mine):
    errors = sum(one.get("errors", 0) for one in mine)
    cells = [
        f"**{tool}**" if tool == OWN else tool,
        span(spread(mine, "rate"), lambda value: f"{value:,.0f}"),
        span(spread(mine, "cpu_us"), lambda value: f"{value:,.1f}"),
        span(spread(mine, "memory_bytes"), lambda value: f"{value / 1e6:,.1f}"),
        f"{errors:,}",
        f"{spreads.share(mine, 'cpu_s', 'wall_s').median:.0%}",
        f"{spreads.share(mine, 'server_cpu_s', 'wall_s').median:.0%}",
    ]
    return "| " + " | ".join(cells) + " |"


def why_not(mine):
    """Why a tool has no figures in a table."""
    for key, words in (("refused", "not measured: "), ("failed", "**failed in every round**: ")):
        for one in mine:
            if key in one:
                return words + one[key]
    return "**missing**, not measured"


def doubts(sitting):
    """How far the counts of the tools are from the server's."""
    lines = [
        "## Counted by the server\n",
        "The most by which a tool's count differed from the server's in one turn. A request for each "
        "connection may be under way at the end, and is no difference; what some tools send and do not "
        "count (before their measuring begins, after it has ended) is.\n",
        "| Tool | Largest difference |",
        "|---|--:|",
    ]
    measured = [one for one in sitting["records"] if "rate" in one]
    for tool in dict.fromkeys(one["tool"] for one in measured):
        worst = max(spreads.miscount(one) for one in chosen(measured, tool=tool))
        lines.append(f"| {tool} | {worst:.2%} |")
    return "\n".join(lines) + "\n"


def span(of, written):
    """Median, and in brackets the extremes where they look different."""
    middle, low, high = written(of.median), written(of.low), written(of.high)
    return middle if low == high else f"{middle} ({low}–{high})"


def times(of):
    return span(of, lambda value: f"{value:.2f}")


def plural(count, word):
    return f"{count:,} {word}" + ("" if count == 1 else "s")
