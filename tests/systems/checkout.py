"""Two steps: a reservation, and a purchase with its id.

POST /checkout {"userId": "17"} -> 201 {"reservationId": "r-1"}, 409 SOLD_OUT or DUPLICATE.
POST /purchase {"reservationId": "r-1"} -> 201 {"id": 4}, 404, 409 ALREADY_PURCHASED.
A reservation holds its piece for good. Defect: more is reserved than there is, and a reservation can
be used again.
"""

from small import Shop, serve


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.reserved = {}
        self.bought = set()

    def answer(self, request):
        with self.lock:
            if request.asks("POST", "/checkout"):
                return self.checkout(str(request.json["userId"]))
            if request.asks("POST", "/purchase"):
                return self.purchase(request.json["reservationId"])
        return 404, {"code": "NOT_FOUND"}

    def checkout(self, user):
        if user in self.reserved.values():
            return 409, {"code": "DUPLICATE"}
        if len(self.reserved) >= self.stock and not self.defect:
            return 409, {"code": "SOLD_OUT"}
        reservation = f"r-{len(self.reserved) + 1}"
        self.reserved[reservation] = user
        return 201, {"reservationId": reservation}

    def purchase(self, reservation):
        if reservation not in self.reserved:
            return 404, {"code": "NOT_FOUND"}
        if reservation in self.bought and not self.defect:
            return 409, {"code": "ALREADY_PURCHASED"}
        self.bought.add(reservation)
        return 201, {"id": self.give(self.reserved[reservation])}


serve(System)
