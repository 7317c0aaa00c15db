"""409 for sold out and for a duplicate, told apart by the text of the message alone.

POST /api/v1/coupons/{id} with the header X-User-Id -> 200, 409. Defect: nobody asks whether the
user holds one already.
"""

from small import Shop, serve

MESSAGES = {"SOLD_OUT": "선착순 마감되었습니다.", "DUPLICATE": "이미 쿠폰을 발급받았습니다."}


class System(Shop):
    def answer(self, request):
        user = request.headers["X-User-Id"]
        taken = self.take_another(user) if self.defect else self.take(user)
        if taken in MESSAGES:
            return 409, {"message": MESSAGES[taken]}
        return 200, {"id": taken}

    def take_another(self, user):
        with self.lock:
            return self.give(user) if self.left() > 0 else "SOLD_OUT"


serve(System)
