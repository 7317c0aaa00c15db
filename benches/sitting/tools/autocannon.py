"""autocannon: one event loop of Node.js."""
import json

from ..work import FIXED_BODY, Figures, Unreadable
from .tool import Tool, need, said_by

VERSION = "9.0.0"


class Autocannon(Tool):
    name = "autocannon"
    does = "One fixed body; histograms of latency and throughput. One thread, as one core is."
    leaves_out = "No body of its own for each request, the answer is only delimited."
    installed_at = "node_modules/.bin/autocannon"

    def install_commands(self):
        # Without a file of its own npm takes the next one above for the project.
        start = ["sh", "-c", 'mkdir -p "$0" && echo "{}" >"$0/package.json"', self.folder]
        words = ["npm", "install", "--prefix", self.folder, "--no-audit", "--no-fund"]
        return [(start, {}), (words + [f"autocannon@{VERSION}"], {})]

    def version(self):
        first, *rest = said_by(self.program, "--version").strip().splitlines()
        return ", ".join([first] + rest)

    def refuses(self, work):
        if work.rate and work.rate < work.connections:
            return "with -R autocannon opens no more connections than requests a second"
        return None

    def command(self, work, _folder):
        words = [self.program, "-c", work.connections, "-d", work.seconds, "-m", "POST", "-t", 10]
        words += ["-H", "content-type=application/json", "-b", FIXED_BODY, "--json", "--no-progress"]
        if work.rate:
            words += ["-R", work.rate]
        return words + [work.url + work.path], {}

    def figures(self, output, work, _folder):
        lines = output.strip().splitlines()
        try:
            said = json.loads(lines[-1]) if lines else {}
        except ValueError as error:
            raise Unreadable(f"the last line of its output is not JSON: {error}") from None
        answers = {int(status): of["count"] for status, of in need(said, "statusCodeStats").items()}
        requests = sum(answers.values())
        wrong = requests - answers.get(work.status, 0)
        # Time-outs are counted among the errors.
        return Figures(requests, need(said, "duration"), wrong + need(said, "errors"))
