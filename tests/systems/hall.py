"""A hall: a seat is held for some time, bought by whoever holds it, or given back.

POST /seats/S-1/hold {"userId": "17"} -> 201 {"seat": "S-1"}, 409 TAKEN. Whoever holds it is told so
again, with the lease that it has.
POST /seats/S-1/buy {"userId": "17"} -> 201, 409 NOT_HELD. POST /seats/S-1/cancel -> 200.

Defects: `held-twice`: a hold is granted although another user has one; `sold-twice`: a purchase asks
nobody whose the seat is, and the last one keeps it; `lost`: some purchases are confirmed and not
written.
"""

import time

from small import Shop, serve

LEASE_S = 2.0

TABLE = "CREATE TABLE IF NOT EXISTS seats (seat TEXT PRIMARY KEY, user_id TEXT, sold_at INTEGER)"


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.connection.execute(TABLE)
        self.held = {}
        self.sales = 0

    def answer(self, request):
        if request.method != "POST" or len(request.parts) != 3:
            return 404, {"code": "NOT_FOUND"}
        _, seat, verb = request.parts
        user = str(request.json["userId"])
        with self.lock:
            if verb == "hold":
                return self.hold(seat, user)
            if verb == "buy":
                return self.buy(seat, user)
            self.cancel(seat, user)
            return 200, {}

    def owner(self, seat):
        query = "SELECT user_id FROM seats WHERE seat = ?"
        row = self.connection.execute(query, (seat,)).fetchone()
        return row[0] if row else None

    def holder(self, seat):
        user, until = self.held.get(seat, (None, 0))
        return user if time.monotonic() < until else None

    def hold(self, seat, user):
        holder = self.holder(seat)
        if self.owner(seat) is not None:
            return 409, {"code": "TAKEN"}
        if holder == user:
            return 201, {"seat": seat}
        if holder is not None and self.defect != "held-twice":
            return 409, {"code": "TAKEN"}
        self.held[seat] = (user, time.monotonic() + LEASE_S)
        return 201, {"seat": seat}

    def buy(self, seat, user):
        if self.defect != "sold-twice":
            if self.holder(seat) != user or self.owner(seat) not in (None, user):
                return 409, {"code": "NOT_HELD"}
        self.sales += 1
        if self.defect == "lost" and self.sales % 5 == 0:
            return 201, {"seat": seat}
        query = "INSERT OR REPLACE INTO seats VALUES (?, ?, ?)"
        self.connection.execute(query, (seat, user, time.time_ns() // 1000))
        return 201, {"seat": seat}

    def cancel(self, seat, user):
        if self.holder(seat) == user:
            del self.held[seat]


serve(System)
