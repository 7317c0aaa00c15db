"""Locust: greenlets in Python, here with FastHttpUser, its fastest client."""
import json

from ..work import Figures, Unreadable
from .tool import Tool, need, said_by

VERSION = "2.47.0"

# Users who post without a pause. An answer with a status above 399 is an error unless it is said
# otherwise, which is done only where the target answers so.
FILE = """
import itertools
from locust import FastHttpUser, constant, task

numbers = itertools.count(1)
headers = {{"Content-Type": "application/json"}}


class Buyer(FastHttpUser):
    wait_time = constant(0)
    connection_timeout = network_timeout = 10.0

    @task
    def issue(self):
        body = '{{"userId":"%d"}}' % next(numbers)
{request}
"""
PLAIN = """        self.client.post("{path}", data=body, headers=headers)"""
EXPECTING = """        with self.client.post("{path}", data=body, headers=headers, catch_response=True) as answer:
            if answer.status_code == {status}:
                answer.success()
            else:
                answer.failure("status")"""


class Locust(Tool):
    name = "locust"
    does = "FastHttpUser, a body of its own for each request, its status looked at; statistics by request. One process, as one core is."
    leaves_out = "The JSON of the answer is not parsed; no open model."
    # It ends with 1 when a request has failed.
    codes = frozenset({0, 1})
    installed_at = "bin/locust"

    def install_commands(self):
        make = ["python3", "-m", "venv", self.folder]
        return [(make, {}), ([self.folder / "bin/pip", "install", f"locust=={VERSION}"], {})]

    def version(self):
        return said_by(self.program, "--version").split(" from ")[0].strip()

    def refuses(self, work):
        return "Locust has no open model" if work.rate else None

    def command(self, work, folder):
        request = PLAIN if work.status < 400 else EXPECTING
        request = request.format(path=work.path, status=work.status)
        file = folder / "locustfile.py"
        file.write_text(FILE.format(request=request), encoding="utf-8")
        words = [self.program, "-f", file, "--headless", "--host", work.url, "--json"]
        words += ["-u", work.connections, "-r", work.connections, "-t", f"{work.seconds}s"]
        return words + ["--only-summary", "--loglevel", "WARNING"], {}

    def figures(self, output, _work, _folder):
        # The list may stand behind other lines.
        try:
            entries = json.loads(output[output.index("[") :])
        except ValueError as error:
            raise Unreadable(f"its output has no list in JSON: {error}") from None
        if not entries:
            raise Unreadable("it has made no request")
        first = min(need(entry, "start_time") for entry in entries)
        last = max(need(entry, "last_request_timestamp") or 0 for entry in entries)
        if last <= first:
            raise Unreadable("it has made no request")
        requests = sum(need(entry, "num_requests") for entry in entries)
        return Figures(requests, last - first, sum(need(entry, "num_failures") for entry in entries))
