"""wrk: threads around epoll, written in C, with a script in LuaJIT."""
import re

from ..targets import SUPPORT
from ..work import Figures, Unreadable
from .tool import Tool, said_by


class Wrk(Tool):
    name = "wrk"
    does = "One fixed body, set by a Lua script that does not run for a request; a histogram of latencies."
    leaves_out = "No body of its own for each request, the answer is only delimited; no open model."
    by_hand = "apt-get install wrk"

    def version(self):
        return said_by(self.program, "--version").split("\n", 1)[0].split(" Copyright")[0]

    def refuses(self, work):
        return "wrk has no open model" if work.rate else None

    def command(self, work, _folder):
        words = [self.program, "-t1", f"-c{work.connections}", f"-d{work.seconds}s", "--timeout", "10s"]
        return words + ["-s", SUPPORT / "post.lua", work.url + work.path], {}

    def figures(self, output, work, _folder):
        done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
        if not done:
            raise Unreadable("its output has no line `N requests in T`")
        requests = int(done[1])
        seconds = float(done[2]) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[done[3]]
        # Both lines are there only when there is something to say.
        strange = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        strange = int(strange[1]) if strange else 0
        wrong = strange if 200 <= work.status < 400 else requests - strange
        failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
        errors = wrong + sum(int(count) for count in failed.groups()) if failed else wrong
        return Figures(requests, seconds, errors)
