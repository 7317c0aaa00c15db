"""goose: a framework on reqwest, written in Rust; the work is a crate of its own beside this folder."""
import json
import pathlib
import re

from ..work import Figures, Unreadable
from .tool import Tool, need

CRATE = pathlib.Path(__file__).resolve().parent.parent.parent / "goose-peer"


class Goose(Tool):
    name = "goose"
    does = "A body of its own for each request, the answer read to its end, its status looked at; metrics by request."
    leaves_out = "The JSON of the answer is not parsed; no cookies, one client for all users, no metrics of transactions; no open model."
    installed_at = "release/goose-peer"

    def install_commands(self):
        words = ["cargo", "build", "--release", "--locked", "--manifest-path", CRATE / "Cargo.toml"]
        return [(words, {"CARGO_TARGET_DIR": str(self.folder)})]

    def find(self):
        # A program on the path that is called goose is another one.
        cached = self.folder / self.installed_at
        self.program = cached if cached.exists() else None
        return self.program is not None

    def version(self):
        lock = (CRATE / "Cargo.lock").read_text(encoding="utf-8")
        return "goose " + re.search(r'name = "goose"\nversion = "([^"]+)"', lock)[1]

    def refuses(self, work):
        return "goose throttles requests, but has no open model" if work.rate else None

    def command(self, work, _folder):
        words = [self.program, "--host", work.url, "--users", work.connections]
        words += ["--increase-rate", 10 * work.connections, "--run-time", f"{work.seconds}s"]
        words += ["--timeout", 10, "--no-gzip", "--no-telnet", "--quiet", "--quiet"]
        # Metrics are kept from the first request on, as all of them are paid for.
        words += ["--no-print-metrics", "--no-reset-metrics"]
        words += ["--no-transaction-metrics", "--no-scenario-metrics"]
        return words, {"PEER_PATH": work.path, "PEER_STATUS": str(work.status)}

    def figures(self, output, _work, _folder):
        lines = output.strip().splitlines()
        try:
            said = json.loads(lines[-1]) if lines else {}
        except ValueError as error:
            raise Unreadable(f"the last line of its output is not JSON: {error}") from None
        return Figures(need(said, "requests"), need(said, "seconds"), need(said, "failures"))
