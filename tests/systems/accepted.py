"""202 at once with the id of the request, the result later.

POST /coupons/{id}/requests {"userId": "17"} -> 202 {"requestId": "q-1"}
GET /requests/q-1 -> 200 {"status": "PENDING" | "ISSUED" | "SOLD_OUT" | "DUPLICATE"}, 404
One worker takes the requests in their order. Defect: of what it issues it forgets to write one
row in ten, and remembers only in memory who has it.
"""

import queue
import threading

from small import Shop, serve


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.waiting = queue.Queue()
        self.results = {}
        self.unwritten = set()
        threading.Thread(target=self.work, daemon=True).start()

    def left(self):
        return super().left() - len(self.unwritten)

    def holds(self, user):
        return user in self.unwritten or super().holds(user)

    def answer(self, request):
        if request.method == "GET" and request.parts[0] == "requests":
            status = self.results.get(request.parts[-1])
            return (200, {"status": status}) if status else (404, {"code": "NOT_FOUND"})
        with self.lock:
            number = f"q-{len(self.results) + 1}"
            self.results[number] = "PENDING"
        self.waiting.put((number, str(request.json["userId"])))
        return 202, {"requestId": number}

    def work(self):
        issued = 0
        while True:
            number, user = self.waiting.get()
            taken = self.take(user)
            if not isinstance(taken, str):
                issued += 1
                if self.defect and issued % 10 == 0:
                    with self.lock:
                        self.unwritten.add(user)
                        self.connection.execute("DELETE FROM issued WHERE id = ?", (taken,))
                taken = "ISSUED"
            self.results[number] = taken


serve(System)
