"""Promises at once and writes later: a promise waits in a table of its own until nobody has asked
for some seconds.

POST /coupons/{id}/claim {"userId": "17"} -> 201 {"id": 3}, 409 {"code": "SOLD_OUT" | "DUPLICATE"}
Defect: whoever writes the rows has died.
"""

import threading
import time

from small import Shop, serve

PROMISED = """
CREATE TABLE IF NOT EXISTS promised (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
)
"""

WRITE = """
BEGIN;
INSERT INTO issued (id, user_id, created_at) SELECT id, user_id, created_at FROM promised;
DELETE FROM promised;
COMMIT;
"""

# Far longer than anybody waits for rows that rest.
PAUSE_S = 4


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.connection.execute(PROMISED)
        self.asked = time.monotonic()
        if not self.defect:
            threading.Thread(target=self.work, daemon=True).start()

    def left(self):
        return super().left() - self.number("SELECT COUNT(*) FROM promised")

    def holds(self, user):
        query = "SELECT COUNT(*) FROM promised WHERE user_id = ?"
        return self.number(query, str(user)) > 0 or super().holds(user)

    def give(self, user):
        query = "INSERT INTO promised (user_id, created_at) VALUES (?, ?)"
        now = time.time_ns() // 1000
        return self.connection.execute(query, (str(user), now)).lastrowid

    def answer(self, request):
        with self.lock:
            self.asked = time.monotonic()
        taken = self.take(request.json["userId"])
        return (409, {"code": taken}) if isinstance(taken, str) else (201, {"id": taken})

    def work(self):
        while True:
            time.sleep(0.1)
            with self.lock:
                if time.monotonic() - self.asked > PAUSE_S:
                    self.connection.executescript(WRITE)


serve(System)
