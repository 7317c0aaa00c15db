"""The servers that are loaded: how each is started, asked what it has counted, and ended."""
import contextlib
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

from . import process

SUPPORT = pathlib.Path(__file__).resolve().parent.parent / "support"


def free_port():
    """A port of 127.0.0.1 that nobody has."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def fill(name, /, **values):
    """A file of benches/support with its @NAMES@ filled in."""
    text = (SUPPORT / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", str(value))
    return text


class Target:
    """A server under way."""

    def __init__(self, port, child):
        self.url = f"http://127.0.0.1:{port}"
        self.child = child

    def cpu_s(self):
        """User and system time of the server until now."""
        return process.group_cpu_s(self.child.pid)

    def asked(self, path, body=None):
        """Status and text of an answer."""
        with contextlib.closing(self.opened(path, body)) as answer:
            return answer.status, answer.read().decode()

    def opened(self, path, body):
        request = urllib.request.Request(self.url + path, body)
        try:
            return urllib.request.urlopen(request, timeout=5)
        except urllib.error.HTTPError as error:
            return error

    def until_ready(self, path):
        """Waits for the first answer."""
        for _ in range(100):
            if self.child.poll() is not None:
                raise process.Failed(f"the server ended with {self.child.returncode}")
            with contextlib.suppress(OSError):
                return self.asked(path)
            time.sleep(0.1)
        raise process.Failed("the server does not answer")


class Nginx(Target):
    """One worker of nginx, which answers everything with the same JSON."""

    name = "nginx"
    about = "nginx, one worker, answers every request with `200` and the same JSON"
    path = "/issue"
    status = 200

    @classmethod
    @contextlib.contextmanager
    def up(cls, core, work, connections, _bench):
        port = free_port()
        conf = work / "nginx.conf"
        # Beside the load: those of the last tool that are not closed yet, and ours.
        room = 2 * connections + 64
        conf.write_text(fill("nginx.conf", work=work, port=port, connections=room))
        with process.started(["nginx", "-c", conf], core, "TERM", stderr=subprocess.DEVNULL) as child:
            target = cls(port, child)
            target.until_ready("/server-status")
            yield target

    @staticmethod
    def version(_bench):
        """What nginx says that it is."""
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True)
        return said.stderr.strip().removeprefix("nginx version: ")

    def counted(self):
        """Requests until now, this one included."""
        lines = self.asked("/server-status")[1].splitlines()
        return int(lines[2].split()[2])


class Reference(Target):
    """The bundled server, sold out: every answer is the same, and nothing is written."""

    name = "reference"
    about = (
        "`fcfs-bench serve --strategy memory-then-sqlite`, sold out: it reads the JSON, looks for the "
        "user and the stock under its lock, and answers `400` and JSON; nothing is written"
    )
    path = "/coupons/fcfs/1/issue"
    status = 400

    @classmethod
    @contextlib.contextmanager
    def up(cls, core, work, _connections, bench):
        port = free_port()
        command = [bench, "serve", "--listen", f"127.0.0.1:{port}", "--stock", 1, "--log-level", "off"]
        command += ["--strategy", "memory-then-sqlite", "--database", work / "coupons.db"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with process.started(command, core, "TERM", **quiet) as child:
            target = cls(port, child)
            target.until_ready("/health")
            # The only coupon goes to somebody whom no tool sends.
            for expected in (201, 400):
                user = b'{"userId":"first"}' if expected == 201 else b'{"userId":"second"}'
                status, text = target.asked(cls.path, user)
                if status != expected:
                    raise process.Failed(f"the server answered {status} {text}, not {expected}")
            yield target

    @staticmethod
    def version(bench):
        """The program that serves is the one that is measured."""
        said = subprocess.run([bench, "--version"], capture_output=True, text=True, check=True)
        return said.stdout.strip()

    def counted(self):
        """Requests answered until now, without this one."""
        lines = self.asked("/metrics")[1].splitlines()
        found = [line for line in lines if line.startswith("http_requests_total{")]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in found)


ALL = {target.name: target for target in (Nginx, Reference)}
