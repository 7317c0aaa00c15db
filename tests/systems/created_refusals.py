"""201 also for refusals: every answer is a result that was created.

POST /claims {"user": "17"} -> 201 {"issued": true, "id": 4} or {"issued": false, "reason": "..."}.
Defect: the last piece is taken, and answered as sold out.
"""

from small import Shop, serve


class System(Shop):
    def answer(self, request):
        with self.lock:
            taken = self.take(request.json["user"])
            if self.defect and not isinstance(taken, str) and self.left() == 0:
                taken = "SOLD_OUT"
        if isinstance(taken, str):
            return 201, {"issued": False, "reason": taken.lower()}
        return 201, {"issued": True, "id": taken}


serve(System)
