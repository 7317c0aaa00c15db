"""The sitting: rounds in which every tool has its turn at every work, and a record of each turn."""
import shutil
import sys
import tempfile
import time
import pathlib

from . import machine, process
from .work import Unreadable, Work

# Beside the load: the start of an interpreter, of ten thousand users, and a report.
PATIENCE_S = 120
# Between two turns, for connections that are still to be closed.
REST_S = 0.5


def cells(settings):
    """What is measured in each round, in its order: (model, connections, rate)."""
    for model in settings.models:
        for connections in settings.connections:
            yield model, connections, settings.rate if model == "open" else None


def sit(settings, tools, targets, generator, server):
    """All rounds; a record for each turn, also for one that came to nothing."""
    records = []
    for number in range(1, settings.rounds + 1):
        for target in targets:
            with tempfile.TemporaryDirectory(prefix="peers-") as made:
                work_dir = pathlib.Path(made)
                most = max(settings.connections)
                with target.up(server, work_dir, most, settings.bench) as up:
                    for model, connections, rate in cells(settings):
                        work = Work(up.url, up.path, up.status, connections, settings.seconds, rate)
                        # Nobody is always first, or always behind the same one.
                        turn = (number - 1) % len(tools)
                        for tool in tools[turn:] + tools[:turn]:
                            place = {"round": number, "target": target.name, "model": model}
                            place |= {"connections": connections, "tool": tool.name}
                            record = place | one_turn(tool, work, up, generator, work_dir)
                            records.append(record)
                            say(record)
    return records


def one_turn(tool, work, up, core, work_dir):
    """One tool doing one work: its figures, or why there are none."""
    refusal = tool.refuses(work)
    if refusal:
        return {"refused": refusal}
    time.sleep(REST_S)
    folder = work_dir / "turn"
    folder.mkdir()
    try:
        return measured(tool, work, up, core, folder)
    except (process.Failed, Unreadable) as error:
        return {"failed": str(error)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measured(tool, work, up, core, folder):
    """Starts the tool and reads what it, the kernel and the server have counted."""
    words, environment = tool.command(work, folder)
    counted, server_cpu, (busy, stolen) = up.counted(), up.cpu_s(), machine.busy_and_stolen_s()
    ended = process.run(words, core, work.seconds + PATIENCE_S, folder, environment)
    busy_after, stolen_after = machine.busy_and_stolen_s()
    server_cpu = up.cpu_s() - server_cpu
    # Each look at the server's counter is a request: one of the two is within.
    counted = up.counted() - counted - 1
    if ended.code not in tool.codes:
        raise process.Failed(f"it ended with {ended.code}: {last_line(ended)}")
    figures = tool.figures(ended.output, work, folder)
    if not figures.requests:
        raise Unreadable("it has made no request")
    return {
        "requests": figures.requests,
        "seconds": figures.seconds,
        "rate": figures.rate,
        "errors": figures.errors,
        "dropped": figures.dropped,
        "cpu_us": ended.cpu_s / figures.requests * 1e6,
        "cpu_s": ended.cpu_s,
        "memory_bytes": ended.memory_bytes,
        "wall_s": ended.wall_s,
        "server_counted": counted,
        "server_cpu_s": server_cpu,
        "others_cpu_s": max(0.0, busy_after - busy - ended.cpu_s - server_cpu),
        "stolen_s": stolen_after - stolen,
    }


def last_line(ended):
    """The last thing that a program has said."""
    lines = (ended.complaints.strip() or ended.output.strip() or "it said nothing").splitlines()
    return lines[-1][:200]


def say(record):
    """A line about one turn."""
    place = "round {round}  {target:9}  {model:6}  {connections:>6}  {tool:10}".format(**record)
    if "rate" in record:
        told = "{rate:>9.0f}/s  {cpu_us:>8.1f} us".format(**record)
        told += f"  {record['memory_bytes'] / 1e6:>7.1f} MB  {record['errors']} errors"
        if record["dropped"]:
            told += f"  {record['dropped']} dropped"
    else:
        told = record.get("refused") or "FAILED: " + record["failed"]
    print(f"{place}  {told}", file=sys.stderr, flush=True)
