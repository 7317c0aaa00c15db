"""oha: hyper on tokio, written in Rust."""
import json

from ..work import FIXED_BODY, Figures, Unreadable
from .tool import Tool, need, said_by

VERSION = "1.16.0"


class Oha(Tool):
    name = "oha"
    does = "One fixed body; keeps the result of every request until the end, with connect and first-byte times."
    leaves_out = "No body of its own for each request, the answer is read and thrown away."
    installed_at = "bin/oha"

    def install_commands(self):
        words = ["cargo", "install", "oha", "--version", VERSION, "--locked", "--root", self.folder]
        return [(words, {"CARGO_TARGET_DIR": str(self.folder / "build")})]

    def version(self):
        return said_by(self.program, "--version").strip()

    def command(self, work, _folder):
        words = [self.program, "-z", f"{work.seconds}s", "-c", work.connections, "-m", "POST"]
        words += ["-d", FIXED_BODY, "-T", "application/json", "-t", "10s", "--worker-threads", 1]
        words += ["--no-tui", "--output-format", "json"]
        if work.rate:
            words += ["-q", work.rate, "--latency-correction"]
        return words + [work.url + work.path], {}

    def figures(self, output, work, _folder):
        try:
            said = json.loads(output)
        except ValueError as error:
            raise Unreadable(f"its output is not JSON: {error}") from None
        answers = need(said, "statusCodeDistribution")
        failed = dict(need(said, "errorDistribution"))
        # What was under way when the time was over.
        failed.pop("aborted due to deadline", None)
        wrong = sum(count for status, count in answers.items() if int(status) != work.status)
        requests = sum(answers.values())
        return Figures(requests, need(said, "summary", "total"), wrong + sum(failed.values()))
