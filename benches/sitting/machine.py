"""The machine: what it is, which cores are whose, and how busy it is."""
import os
import pathlib
import resource


class Unfit(Exception):
    """This machine cannot do what is asked."""


def cores():
    """(of the generator, of the server)"""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise Unfit("two cores are needed: one for the load generator, one for the server")
    return usable[0], usable[-1]


def allow_files(connections):
    """Raises the limit of open files so far that each side has as many connections."""
    need = connections + 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < need:
        most = hard if hard == resource.RLIM_INFINITY else max(hard, need)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (need, most))
        except (ValueError, OSError) as error:
            raise Unfit(
                f"{connections} connections need {need} open files, and at most {hard} are allowed "
                f"here ({error}): raise it (ulimit -Hn), or ask for less (--connections)"
            ) from None
    first, last = (int(end) for end in read("/proc/sys/net/ipv4/ip_local_port_range").split())
    if last - first < connections:
        raise Unfit(
            f"{connections} connections need as many local ports, and there are {last - first}: "
            "widen net.ipv4.ip_local_port_range, or ask for less (--connections)"
        )


def read(path):
    """A file of the kernel as text."""
    return pathlib.Path(path).read_text(encoding="utf-8")


def described():
    """What the document says of the machine."""
    processor = {}
    for line in read("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        processor.setdefault(name.strip(), value.strip())
    memory_kb = int(read("/proc/meminfo").split()[1])
    virtual = "hypervisor" in processor.get("flags", "").split()
    system = os.uname()
    return {
        "cpu": processor.get("model name", "unknown"),
        "family": f"family {processor.get('cpu family', '?')}, model {processor.get('model', '?')}",
        "cores": os.cpu_count(),
        "virtual": virtual,
        "memory_gib": round(memory_kb / 1024**2, 1),
        "kernel": f"{system.sysname} {system.release} {system.machine}",
        "load_before": os.getloadavg()[0],
    }


def busy_and_stolen_s():
    """Seconds in which all cores have worked for processes here, and in which they were taken away."""
    fields = [int(text) for text in read("/proc/stat").split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, hard, soft, stolen = fields[:8]
    ticks = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + hard + soft) / ticks, stolen / ticks
