"""What the small systems of the tests share: a database of one table, a server, its start and end.

A system is a file with a class `System(Shop)` and a last line `serve(System)`. It prints its port
and ends when its input does. `--defect` plants the one thing that it does wrong, `--defect NAME` one of
several.
"""

import argparse
import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TABLE = """
CREATE TABLE IF NOT EXISTS issued (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
)
"""


class Shop:
    """Gives away `stock` pieces, one to a user. Its methods need the lock `self.lock`."""

    def __init__(self, database, stock, defect):
        self.stock = stock
        self.defect = defect
        self.lock = threading.RLock()
        # For a defect: how many have looked at the stock, and who has not acted on it yet.
        self.looks = 0
        self.looking = set()
        self.another = threading.Condition(self.lock)
        self.connection = sqlite3.connect(
            database, isolation_level=None, check_same_thread=False
        )
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(TABLE)

    def number(self, query, *values):
        return self.connection.execute(query, values).fetchone()[0]

    def left(self):
        return self.stock - self.number("SELECT COUNT(*) FROM issued")

    def holds(self, user):
        query = "SELECT COUNT(*) FROM issued WHERE user_id = ?"
        return self.number(query, str(user)) > 0

    def give(self, user):
        """A row of its own for the user, whatever the stock is; its id."""
        query = "INSERT INTO issued (user_id, created_at) VALUES (?, ?)"
        now = time.time_ns() // 1000
        return self.connection.execute(query, (str(user), now)).lastrowid

    def take(self, user):
        """DUPLICATE, SOLD_OUT, or the id of the piece that the user got."""
        with self.lock:
            if self.holds(user):
                return "DUPLICATE"
            if self.left() <= 0:
                return "SOLD_OUT"
            return self.give(user)

    def take_on_an_old_look(self, user):
        """As `take`, but what was seen may be old when it is acted on: nobody acts before another
        user has looked, too. So the last piece goes to two, however slow the machine is."""
        with self.another:
            self.another.wait_for(lambda: user not in self.looking)
            if self.holds(user):
                return "DUPLICATE"
            self.looks += 1
            self.another.notify_all()
            if self.left() <= 0:
                return "SOLD_OUT"
            mine = self.looks
            self.looking.add(user)
            self.another.wait_for(lambda: self.looks > mine)
            self.looking.remove(user)
            self.another.notify_all()
            return self.give(user)


class Request:
    """A request as the systems read it."""

    def __init__(self, handler):
        self.method = handler.command
        self.path, _, query = handler.path.partition("?")
        self.parts = self.path.strip("/").split("/")
        self.query = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
        self.headers = handler.headers
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.json = json.loads(body) if body else {}

    def asks(self, method, path):
        return self.method == method and self.path == path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # The head and the body of an answer leave together.
    wbufsize = -1
    system = None

    def act(self):
        answer = self.system.answer(Request(self))
        if answer is None:
            # It is lost on its way.
            self.close_connection = True
            return
        status, content, headers = (*answer, {})[:3]
        content = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = act

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def serve(system):
    """Runs the system until its input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--stock", type=int, required=True)
    parser.add_argument("--defect", nargs="?", const=True, default=False)
    options = parser.parse_args()
    Handler.system = system(options.database, options.stock, options.defect)
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
