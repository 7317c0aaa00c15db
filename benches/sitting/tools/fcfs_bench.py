"""fcfs-bench itself, with everything that it does in every run."""
import json

from ..targets import fill
from ..work import Figures, Unreadable
from .tool import Tool, need, said_by


class FcfsBench(Tool):
    name = "fcfs-bench"
    does = (
        "A body of its own for each request, users by a permutation of the seed, the JSON of every answer parsed "
        "and told by what it means; every attempt in the history on disk, histograms by step, phase and outcome, "
        "intervals of a second on disk, judged and reported at the end."
    )
    leaves_out = "Nothing of what it does in every run; there is no truth to read, and no fault."
    # 112: a generator that is saturated on purpose says so.
    codes = frozenset({0, 112})

    def version(self):
        return said_by(self.program, "--version").strip()

    def command(self, work, folder):
        load = f"constant_vus: {{ vus: {work.connections}, for: {work.seconds}s }}"
        if work.rate:
            load = f"constant_arrival_rate: {{ rate: {work.rate}/s, vus: {work.connections}, for: {work.seconds}s }}"
        text = fill("scenario.yaml", name="peers", url=work.url, path=work.path, load=f"{{ {load} }}")
        file = folder / "scenario.yaml"
        file.write_text(text, encoding="utf-8")
        words = [self.program, "run", file, "--quiet", "--threads", 1, "--out", folder / "run"]
        return words, {}

    def figures(self, _output, work, folder):
        try:
            said = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Unreadable(f"it has left no summary: {error}") from None
        requests = need(said, "requests")
        right = need(said, "outcomes", "issued" if work.status == 200 else "sold_out")
        dropped = need(said, "dropped_iterations")
        return Figures(requests, need(said, "duration_s"), requests - right, dropped)
