"""A cancel. Defect: that nothing is left is remembered, and no cancel makes it forgotten."""

from cancelling import Cancelling
from small import serve


class System(Cancelling):
    sold_out = False

    def claim(self, user):
        if self.defect and self.sold_out and not self.holds(user):
            return 410, {"code": "SOLD_OUT"}
        answer = super().claim(user)
        self.sold_out = self.sold_out or answer[0] == 410
        return answer


serve(System)
