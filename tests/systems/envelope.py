"""200 for everything, and what happened in an envelope: {statusCode, code, message, data}.

POST /coupons/{id}/issue {"userId": 17}. Defect: it looks at the stock, and takes later.
"""

from small import Shop, serve

MESSAGES = {
    "SOLD_OUT": (400, "COUPON_03", "쿠폰이 모두 소진되었습니다."),
    "DUPLICATE": (400, "COUPON_05", "이미 발급된 쿠폰입니다."),
}


class System(Shop):
    def answer(self, request):
        user = request.json["userId"]
        taken = self.take_on_an_old_look(user) if self.defect else self.take(user)
        status, code, message = MESSAGES.get(taken, (200, "SUCCESS", "발급되었습니다."))
        data = {"couponId": taken} if code == "SUCCESS" else None
        return 200, {"statusCode": status, "code": code, "message": message, "data": data}


serve(System)
