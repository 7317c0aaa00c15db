"""What the systems with a cancel share: a count of what is free, beside the rows.

POST /claim {"userId": "17"} -> 201 {"id": 4}, 410 SOLD_OUT, 409 DUPLICATE.
POST /cancel {"userId": "17"} -> 204, and the piece can be claimed again; 404 for who holds none.
"""

from small import Shop


class Cancelling(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.free = self.stock

    def answer(self, request):
        with self.lock:
            if request.asks("POST", "/claim"):
                return self.claim(request.json["userId"])
            if request.asks("POST", "/cancel"):
                return self.cancel(request.json["userId"])
        return 404, {"code": "NOT_FOUND"}

    def claim(self, user):
        if self.holds(user):
            return 409, {"code": "DUPLICATE"}
        if self.free <= 0:
            return 410, {"code": "SOLD_OUT"}
        self.free -= 1
        return 201, {"id": self.give(user)}

    def cancel(self, user):
        query = "DELETE FROM issued WHERE user_id = ?"
        if not self.connection.execute(query, (str(user),)).rowcount:
            return 404, {"code": "NOT_HELD"}
        self.free += self.returned()
        return 204, None

    def returned(self):
        """How many pieces a cancel gives back."""
        return 1
