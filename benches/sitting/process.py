"""Child processes on a core of their own, what they have used, and that none is left behind."""
import contextlib
import dataclasses
import os
import pathlib
import resource
import signal
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
# Often enough for a peak that lasts, and no load for the core of the server.
SAMPLE_S = 0.2
# Two looks at one size differ a little, as the kernel counts pages for each core.
MARGIN_KIB = 4096


class Failed(Exception):
    """A program did not do what it was started for."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """A program that has ended, with what it used over its whole life."""

    code: int  # negative: the signal that ended it
    output: str
    complaints: str
    cpu_s: float  # user and system, by wait4; with its children that have ended
    memory_bytes: int  # the most that was resident
    wall_s: float


def core_prefix(core, parent_death):
    """Words that pin a command to a core, and end it when this process dies of whatever."""
    return ["setpriv", "--pdeathsig", parent_death, "taskset", "-c", str(core)]


@contextlib.contextmanager
def started(command, core, parent_death="KILL", **more):
    """A child in a process group of its own; the group is gone afterwards."""
    words = core_prefix(core, parent_death) + [str(word) for word in command]
    child = subprocess.Popen(words, start_new_session=True, **more)
    try:
        yield child
    finally:
        end(child)


def end(child):
    """Asks the group of a child to end, then makes it end."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if child.returncode is not None and not group(child.pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, how)
        until = time.monotonic() + 5
        while time.monotonic() < until and (child.poll() is None or group(child.pid)):
            time.sleep(0.02)


def run(command, core, limit_s, folder, environment=None):
    """Runs a command to its end and measures it; Failed if it takes longer than `limit_s`."""
    output, complaints = folder / "stdout", folder / "stderr"
    with open(output, "wb") as out, open(complaints, "wb") as err:
        more = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err, "cwd": folder}
        began = time.monotonic()
        with started(command, core, env={**os.environ, **(environment or {})}, **more) as child:
            floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + MARGIN_KIB
            with sampled(child.pid) as peak:
                status, used = waited(child.pid, limit_s)
            wall = time.monotonic() - began
            if status is None:
                raise Failed(f"it has not ended after {limit_s:.0f} s, and was killed")
            child.returncode = os.waitstatus_to_exitcode(status)
    # The kernel counts what this process had before the program was loaded as the child's as well:
    # its figure is exact when it is above that, and says nothing below.
    own = used.ru_maxrss if used.ru_maxrss > floor else 0
    return Ended(
        code=child.returncode,
        output=output.read_text(encoding="utf-8", errors="replace"),
        complaints=complaints.read_text(encoding="utf-8", errors="replace"),
        cpu_s=used.ru_utime + used.ru_stime,
        memory_bytes=max(own * 1024, peak[0]),
        wall_s=wall,
    )


def waited(pid, limit_s):
    """Status and use of a child at its end; (None, None) if it goes on after `limit_s`."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        which, status, used = os.wait4(pid, os.WNOHANG)
        if which:
            return status, used
        time.sleep(0.02)
    return None, None


@contextlib.contextmanager
def sampled(pid):
    """The highest resident size of a tree of processes, in bytes, as the first item of a list."""
    peak, over = [0], threading.Event()

    def watch():
        while not over.wait(SAMPLE_S):
            peak[0] = max(peak[0], sum(high_water(member) for member in tree(pid)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def tree(pid):
    """A process and its children, and theirs."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += tree(int(child))
    return found


def high_water(pid):
    """The most that was resident of a process since its program was loaded, in bytes."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def stat(pid):
    """The fields of /proc/PID/stat behind the name, or None."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return text[text.rindex(")") + 2 :].split()
    return None


def group(pgid):
    """The processes of a group that still run."""
    members = []
    for entry in os.listdir("/proc"):
        fields = stat(entry) if entry.isdigit() else None
        if fields and int(fields[2]) == pgid and fields[0] != "Z":
            members.append(int(entry))
    return members


def group_cpu_s(pgid):
    """User and system time of the processes of a group until now."""
    fields = [stat(pid) for pid in group(pgid)]
    return sum(int(of[11]) + int(of[12]) for of in fields if of) / TICKS
