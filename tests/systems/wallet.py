"""Wallets: a payment is known by its idempotency key, and moves its price from a wallet to the shop.

POST /wallets/W-1/pay {"price": "12.50"} with `Idempotency-Key` -> 201 {"price": "12.50"}, 200 for the
same key again, 402 POOR. The answer to every sixth payment is lost: the connection ends without one.

Defects: `charged-twice`: the key is written and never looked for; `lost`: some payments are confirmed
and not written; `negative`: the balance is looked at before the lock is taken.
"""

import time

from small import Shop, serve

TABLES = [
    "CREATE TABLE wallets (id TEXT PRIMARY KEY, opening INTEGER NOT NULL, balance INTEGER NOT NULL)",
    "CREATE TABLE ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, wallet TEXT, cents INTEGER)",
]
OPENING = 5_000


def cents(price):
    whole, _, fraction = price.partition(".")
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


class System(Shop):
    def __init__(self, *options):
        super().__init__(*options)
        for table in TABLES:
            self.connection.execute(table)
        # Enough for everybody's second charge, so that it does not depend on who comes first.
        opening = 4 * OPENING if self.defect == "charged-twice" else OPENING
        wallets = [("shop", 0)] + [(f"W-{number}", opening) for number in range(self.stock)]
        for wallet, opening in wallets:
            query = "INSERT INTO wallets VALUES (?, ?, ?)"
            self.connection.execute(query, (wallet, opening, opening))
        self.payments = 0
        self.unwritten = set()

    def answer(self, request):
        wallet, price = request.parts[1], cents(request.json["price"])
        key = request.headers["Idempotency-Key"]
        seen = None
        if self.defect == "negative":
            with self.lock:
                seen = self.balance(wallet)
            # Whoever pays from the same wallet meanwhile sees the same balance.
            time.sleep(0.1)
        with self.lock:
            known = self.number("SELECT COUNT(*) FROM ledger WHERE key = ?", key) > 0
            known = known or key in self.unwritten
            if known and self.defect != "charged-twice":
                return 200, {"price": request.json["price"]}
            balance = self.balance(wallet) if seen is None else seen
            if balance < price:
                return 402, {"code": "POOR"}
            self.payments += 1
            if self.defect == "lost" and self.payments % 5 == 0:
                self.unwritten.add(key)
            else:
                self.move(key, wallet, -price)
                self.move(None, "shop", price)
            if self.payments % 6 == 0:
                return None
            return 201, {"price": request.json["price"]}

    def balance(self, wallet):
        return self.number("SELECT balance FROM wallets WHERE id = ?", wallet)

    def move(self, key, wallet, amount):
        query = "INSERT INTO ledger (key, wallet, cents) VALUES (?, ?, ?)"
        self.connection.execute(query, (key, wallet, amount))
        query = "UPDATE wallets SET balance = balance + ? WHERE id = ?"
        self.connection.execute(query, (amount, wallet))


serve(System)
