"""One status, 409, for a lock that was not got and for sold out, told apart by a code.

POST /tickets/{id}/orders {"memberId": 17} -> 201, 409 {"error": {"code": "..."}}. A request that
finds the lock taken is refused at once. Defect: the lock is given up before the row is written.
"""

import threading

from small import Shop, serve


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.lease = threading.Lock()

    def answer(self, request):
        if not self.lease.acquire(blocking=False):
            return 409, {"error": {"code": "LOCK_FAILED"}}
        user = request.json["memberId"]
        taken = self.take_after_the_lease(user) if self.defect else self.take_within(user)
        if isinstance(taken, str):
            return 409, {"error": {"code": taken}}
        return 201, {"orderId": taken}

    def take_within(self, user):
        try:
            return self.take(user)
        finally:
            self.lease.release()

    def take_after_the_lease(self, user):
        self.lease.release()
        return self.take_on_an_old_look(user)


serve(System)
