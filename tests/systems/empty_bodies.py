"""No bodies at all: 200 issued, 204 sold out, 208 has one already; each answer is empty.

PUT is not spoken: POST /events/{id}/entries with the header X-Member. Defect: a storage error, of
one request in ten, is answered as a duplicate.
"""

from small import Shop, serve


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.asked = 0

    def answer(self, request):
        with self.lock:
            self.asked += 1
            if self.defect and self.asked % 10 == 0:
                return 208, None
            taken = self.take(request.headers["X-Member"])
        return {"SOLD_OUT": 204, "DUPLICATE": 208}.get(taken, 200), None


serve(System)
