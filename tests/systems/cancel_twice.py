"""A cancel. Defect: it gives the stock back twice, once in the handler and once in a listener."""

from cancelling import Cancelling
from small import serve


class System(Cancelling):
    def returned(self):
        return 2 if self.defect else 1


serve(System)
