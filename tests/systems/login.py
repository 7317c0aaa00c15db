"""A login first: the token of its answer says who asks.

POST /login {"name": "member17", "password": "pw-member17"} -> 200 {"token": "..."}, 401
POST /coupons/{id}/issue with Authorization: Bearer ... -> 201 {"id": 4}, 401, 409 SOLD_OUT or
DUPLICATE. The rows hold the name. Defect: each login is a user of its own, so that who logs in
twice gets two.
"""

import secrets

from small import Shop, serve


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        self.tokens = {}
        self.used = set()

    def answer(self, request):
        if request.asks("POST", "/login"):
            return self.login(request.json.get("name"), request.json.get("password"))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        name = self.tokens.get(token)
        if name is None:
            return 401, {"code": "UNAUTHORIZED"}
        taken = self.take_by_token(token, name) if self.defect else self.take(name)
        if isinstance(taken, str):
            return 409, {"code": taken}
        return 201, {"id": taken}

    def login(self, name, password):
        if not name or password != f"pw-{name}":
            return 401, {"code": "WRONG_PASSWORD"}
        token = secrets.token_urlsafe()
        self.tokens[token] = name
        return 200, {"token": token}

    def take_by_token(self, token, name):
        with self.lock:
            if token in self.used:
                return "DUPLICATE"
            if self.left() <= 0:
                return "SOLD_OUT"
            self.used.add(token)
            return self.give(name)


serve(System)
