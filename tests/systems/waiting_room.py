"""A queue in front: who is not admitted is sent there.

GET /event/{id}?member=17 -> 200, or 308 and Location: /queue when the queue is needed
POST /queue/enter {"member": "17"} -> 200 {"status": 1, "rank": 4}, 409 when it waits or runs
GET /queue/order?member=17 -> 200 {"status": 1, "rank": 4} waiting, {"status": 2} admitted, 404
POST /issue {"member": "17"} -> 200 {"id": 4}, 403 NOT_ADMITTED, 409 SOLD_OUT or DUPLICATE
Ten members run at a time; another is admitted whenever one is answered. Defect: the issue URL can
be called past the queue, and then looks at the stock before it acts.
"""

from small import Shop, serve

RUNNING = 10


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.running = []
        self.waiting = []

    def answer(self, request):
        member = str(request.query.get("member") or request.json.get("member"))
        with self.lock:
            if request.method == "GET" and request.parts[0] == "event":
                return self.look(member)
            if request.asks("POST", "/queue/enter"):
                return self.enter(member)
            if request.asks("GET", "/queue/order"):
                return self.order(member)
        if request.asks("POST", "/issue"):
            return self.issue(member)
        return 404, {"code": "NOT_FOUND"}

    def look(self, member):
        if member in self.running or (not self.waiting and len(self.running) < RUNNING):
            return 200, {"left": self.left()}
        return 308, None, {"Location": "/queue"}

    def enter(self, member):
        if member in self.running or member in self.waiting:
            return 409, {"code": "ALREADY_IN_QUEUE"}
        self.waiting.append(member)
        self.admit()
        return self.order(member)

    def admit(self):
        while self.waiting and len(self.running) < RUNNING:
            self.running.append(self.waiting.pop(0))

    def order(self, member):
        if member in self.running:
            return 200, {"status": 2}
        if member in self.waiting:
            return 200, {"status": 1, "rank": self.waiting.index(member) + 1}
        return 404, {"code": "NOT_FOUND"}

    def issue(self, member):
        if self.defect:
            taken = self.take_on_an_old_look(member)
        elif member not in self.running:
            return 403, {"code": "NOT_ADMITTED"}
        else:
            taken = self.take(member)
        with self.lock:
            if member in self.running:
                self.running.remove(member)
            self.admit()
        if isinstance(taken, str):
            return 409, {"code": taken}
        return 200, {"id": taken}


serve(System)
