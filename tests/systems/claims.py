"""A coupon system of another kind: one Python process, SQLite, 200 for everything.

POST /api/coupons/1/claim {"userId": "17"} answers with the outcome in its body:
{"result": "SUCCESS", "couponId": 4711}, {"result": "SOLD_OUT"} or {"result": "DUPLICATE"}.
GET /answered says how many claims this process has answered. It ends when its input does.
"""

import argparse
import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TABLE = """
CREATE TABLE IF NOT EXISTS claims (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    coupon_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (coupon_id, user_id)
)
"""


class Claims:
    """The rules: a user holds at most one, and all together hold at most the stock."""

    def __init__(self, database, stock, oversell):
        self.stock = stock
        self.oversell = oversell
        self.answered = 0
        # One connection for all threads of this process; other processes meet it at the file.
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(
            database, timeout=60, isolation_level=None, check_same_thread=False
        )
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(TABLE)

    def claim(self, coupon, user):
        if self.oversell:
            result = self.claim_on_an_old_look(coupon, user)
        else:
            with self.lock, Transaction(self.connection):
                result = self.take(coupon, user, self.left(coupon))
        with self.lock:
            self.answered += 1
        return result

    def claim_on_an_old_look(self, coupon, user):
        """The planted defect: between the look and the act anybody may come first."""
        with self.lock:
            left = self.left(coupon)
        time.sleep(0.2)
        with self.lock, Transaction(self.connection):
            return self.take(coupon, user, left)

    def left(self, coupon):
        query = "SELECT COUNT(*) FROM claims WHERE coupon_id = ?"
        return self.stock - self.connection.execute(query, (coupon,)).fetchone()[0]

    def take(self, coupon, user, left):
        query = "SELECT 1 FROM claims WHERE coupon_id = ? AND user_id = ?"
        if self.connection.execute(query, (coupon, user)).fetchone():
            return {"result": "DUPLICATE"}
        if left <= 0:
            return {"result": "SOLD_OUT"}
        query = "INSERT INTO claims (user_id, coupon_id, created_at) VALUES (?, ?, ?)"
        now = time.time_ns() // 1000
        cursor = self.connection.execute(query, (user, coupon, now))
        return {"result": "SUCCESS", "couponId": cursor.lastrowid}


class Transaction:
    """Looks and acts as one, also against other processes."""

    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind, *_):
        self.connection.execute("COMMIT" if kind is None else "ROLLBACK")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # The head and the body of an answer leave together.
    wbufsize = -1
    claims = None

    def do_GET(self):
        self.answer(200, str(self.claims.answered))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = self.path.strip("/").split("/")
        if len(parts) != 4 or parts[:2] != ["api", "coupons"] or parts[3] != "claim":
            self.answer(404, "{}")
            return
        user = json.loads(body)["userId"]
        self.answer(200, json.dumps(self.claims.claim(int(parts[2]), user)))

    def answer(self, status, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--stock", type=int, required=True)
    parser.add_argument("--oversell", action="store_true")
    options = parser.parse_args()
    Handler.claims = Claims(options.database, options.stock, options.oversell)
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
