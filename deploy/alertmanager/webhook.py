#!/usr/bin/env python3
"""Receives what Alertmanager sends: a line on stdout for each alert, and the last of them at GET /.

    webhook.py [PORT]
"""

import collections
import http.server
import json
import sys
import threading

KEPT = 200
BIGGEST = 1 << 20

told = collections.deque(maxlen=KEPT)
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if not 0 < length <= BIGGEST:
                raise ValueError(f"a body of {length} bytes")
            alerts = json.loads(self.rfile.read(length))["alerts"]
            lines = [self.line(alert) for alert in alerts]
        except (ValueError, KeyError, TypeError) as error:
            self.answer(400, {"error": str(error)})
            return
        with lock:
            told.extend(lines)
        for line in lines:
            print(json.dumps(line), flush=True)
        self.answer(200, {"taken": len(lines)})

    def do_GET(self):
        with lock:
            lines = list(told)
        self.answer(200, lines)

    def line(self, alert):
        labels = alert["labels"]
        return {
            "receiver": self.path.strip("/"),
            "status": alert["status"],
            "alert": labels["alertname"],
            "priority": labels.get("priority"),
            "instance": labels.get("instance"),
            "summary": alert.get("annotations", {}).get("summary"),
            "since": alert.get("startsAt"),
        }

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """One line for each alert is enough."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9095
    http.server.ThreadingHTTPServer(("", port), Handler).serve_forever()
