"""k6: VUs in JavaScript, each a virtual machine of its own, on the HTTP client of Go."""
import json

from ..work import Figures, Unreadable
from .tool import Tool, need, said_by

VERSION = "v1.8.1"

SCRIPT = """
import http from 'k6/http';

http.setResponseCallback(http.expectedStatuses({status}));
const parameters = {{ headers: {{ 'Content-Type': 'application/json' }}, timeout: '10s' }};

export const options = {{
  discardResponseBodies: true,
  scenarios: {{ full: {executor} }},
}};

export default function () {{
  http.post('{url}', '{{"userId":"' + __VU + '-' + __ITER + '"}}', parameters);
}}
"""


class K6(Tool):
    name = "k6"
    does = "A body of its own for each request, its status looked at; trends of eight times for each request."
    leaves_out = "The JSON of the answer is not parsed: bodies are discarded, as its documentation advises for large loads."
    installed_at = "k6"

    def install_commands(self):
        return [(["go", "install", f"go.k6.io/k6@{VERSION}"], {"GOBIN": str(self.folder)})]

    def version(self):
        return said_by(self.program, "version").strip()

    def command(self, work, folder):
        executor = {
            "executor": "constant-vus",
            "vus": work.connections,
            "duration": f"{work.seconds}s",
            "gracefulStop": "10s",
        }
        if work.rate:
            executor |= {"executor": "constant-arrival-rate", "rate": work.rate, "timeUnit": "1s"}
            executor |= {"preAllocatedVUs": executor.pop("vus"), "maxVUs": work.connections}
        script = SCRIPT.format(
            status=work.status, url=work.url + work.path, executor=json.dumps(executor)
        )
        file = folder / "script.js"
        file.write_text(script, encoding="utf-8")
        words = [self.program, "run", "--quiet", "--no-color", "--no-usage-report", "--no-thresholds"]
        # The address of its interface; with an empty one there is none.
        words += ["--address", "", "--summary-export", folder / "summary.json", file]
        return words, {}

    def figures(self, _output, _work, folder):
        try:
            said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Unreadable(f"it has left no summary: {error}") from None
        requests = need(said, "metrics", "http_reqs", "count")
        if not requests:
            raise Unreadable("it has made no request")
        seconds = requests / need(said, "metrics", "http_reqs", "rate")
        # Of a rate, the samples that are true pass.
        failed = need(said, "metrics", "http_req_failed", "passes")
        dropped = said["metrics"].get("dropped_iterations", {}).get("count", 0)
        return Figures(requests, seconds, failed, dropped)
