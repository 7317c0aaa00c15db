"""Tokens that the caller signs: HS256 with a shared secret, `sub` is the user, `exp` is checked.

POST /coupons/{id}/issue with Authorization: Bearer ... -> 201 {"id": 4}, 401 with a reason, 409
SOLD_OUT or DUPLICATE. Defect: it looks at the stock, and takes later.
"""

import base64
import hashlib
import hmac
import json
import time

from small import Shop, serve

SECRET = b"a-secret-of-the-tests"


class Refused(Exception):
    """Finishes `the token ...`."""


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(token):
    """The claims of a token that is right and not too old."""
    try:
        head, claims, signature = token.split(".")
        algorithm = json.loads(decoded(head))["alg"]
        given, claims_of = decoded(signature), json.loads(decoded(claims))
    except (ValueError, KeyError) as problem:
        raise Refused("is malformed") from problem
    if algorithm != "HS256":
        raise Refused("is of another algorithm")
    right = hmac.new(SECRET, f"{head}.{claims}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(right, given):
        raise Refused("has a wrong signature")
    if claims_of.get("exp", 0) <= time.time():
        raise Refused("has expired")
    return claims_of


class System(Shop):
    def answer(self, request):
        try:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            user = verified(token)["sub"]
        except Refused as refused:
            return 401, {"code": "UNAUTHORIZED", "reason": str(refused)}
        taken = self.take_on_an_old_look(user) if self.defect else self.take(user)
        if isinstance(taken, str):
            return 409, {"code": taken}
        return 201, {"id": taken}


serve(System)
