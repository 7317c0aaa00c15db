"""The document says what was measured, what was not, and where we lose."""
import json
import pathlib
import unittest

from sitting import document

ROOT = pathlib.Path(__file__).resolve().parents[3]


def turn(tool, number=1, **more):
    """A turn like any other, at the place of the claims."""
    usual = {
        "target": "nginx", "model": "closed", "connections": 200, "requests": 500_000, "seconds": 5.0,
        "rate": 100_000.0, "errors": 0, "dropped": 0, "cpu_us": 8.0, "cpu_s": 4.0, "memory_bytes": 40_000_000,
        "wall_s": 5.2, "server_counted": 500_100, "server_cpu_s": 4.0, "others_cpu_s": 0.05, "stolen_s": 0.0,
    }  # fmt: skip
    return usual | {"tool": tool, "round": number} | more


def sitting(records, **settings):
    """A sitting of these records."""
    usual = {"rounds": 1, "seconds": 5, "rate": 1000, "connections": [200], "models": ["closed"]}
    usual |= {"tools": list(dict.fromkeys(one["tool"] for one in records)), "targets": ["nginx"]}
    return {
        "date": "2026-01-31 09:00 UTC",
        "command": "benches/peers",
        "settings": usual | settings,
        "machine": {
            "cpu": "a processor", "family": "family 6, model 1", "cores": 2, "virtual": True,
            "memory_gib": 8.0, "kernel": "Linux 6.1 x86_64", "load_before": 0.05,
        },
        "cores": {"generator": 0, "server": 1},
        "versions": {"wrk": "wrk 4.1.0"},
        "missing": [],
        "records": records,
    }  # fmt: skip


class Document(unittest.TestCase):
    def test_a_loss_is_told_with_its_figure(self):
        slower = [turn("fcfs-bench"), turn("wrk", rate=125_000.0, memory_bytes=5_000_000)]
        text = document.write(sitting(slower))
        self.assertIn("| wrk | 0.80 | 1.00 | – | **fcfs-bench sends less** |", text)
        self.assertIn("| nginx | closed | 200 | wrk | memory × 8.00, requests × 0.80 |", text)

    def test_a_claim_that_does_not_hold_is_told(self):
        records = [turn("fcfs-bench"), turn("goose", rate=60_000.0), turn("k6", rate=10_000.0)]
        text = document.write(sitting(records))
        self.assertIn("| goose | 1.67 | 1.00 | 2 or more | **does not hold** |", text)
        self.assertIn("| k6 | 10.00 | 1.00 | 10 or more | holds |", text)
        once = [turn("fcfs-bench", 2), turn("fcfs-bench", 3), turn("goose", 2, rate=40_000.0)]
        text = document.write(sitting(records + once + [turn("goose", 3, rate=50_000.0)]))
        self.assertIn("2 or more | holds by the median, **not in every round** |", text)
        self.assertIn("| locust | no data | no data | 10 or more | not measured |", text)

    def test_both_engines_are_side_by_side_where_both_were_measured(self):
        other = turn("fcfs-bench-goose", rate=40_000.0, cpu_us=20.0)
        alone = turn("fcfs-bench", connections=1)
        text = document.write(sitting([turn("fcfs-bench"), other, alone], connections=[1, 200]))
        rows = [line for line in text.splitlines() if "| native |" in line or "| 200 | goose |" in line]
        expected = ["| nginx | 200 | native | 100,000 | 8.0 | 0 |", "| nginx | 200 | goose | 40,000 | 20.0 | 0 |"]
        self.assertEqual(rows, expected)
        self.assertNotIn("## Both engines", document.write(sitting([turn("fcfs-bench")])))

    def test_a_tool_that_is_missing_is_named(self):
        of = sitting([turn("fcfs-bench")], tools=["fcfs-bench", "k6"])
        text = document.write(of | {"missing": ["k6"]})
        self.assertIn("**Missing, and not measured: k6**", text)
        self.assertIn("- k6: **missing**, not measured.", text)

    def test_a_tool_that_failed_or_cannot_do_the_work_is_told_with_the_reason(self):
        place = {"round": 1, "target": "nginx", "model": "closed", "connections": 200}
        failed = place | {"tool": "oha", "failed": "it ended with 1: no"}
        refused = place | {"tool": "locust", "refused": "Locust has no open model"}
        text = document.write(sitting([turn("fcfs-bench"), failed, refused]))
        self.assertIn("- oha: **failed in every round**: it ended with 1: no.", text)
        self.assertIn("- locust: not measured: Locust has no open model.", text)

    def test_a_failure_in_one_round_is_told_beside_the_figures_of_the_others(self):
        failed = {"tool": "oha", "round": 2, "target": "nginx", "model": "closed", "connections": 200}
        text = document.write(sitting([turn("oha"), failed | {"failed": "no"}], rounds=2))
        self.assertIn("- oha: failed in 1 of 2 rounds: no.", text)

    def test_a_rate_that_was_not_held_is_told(self):
        late = turn("k6", model="open", rate=940.0, dropped=300)
        text = document.write(sitting([late], models=["open"]))
        self.assertIn("- k6: **the rate was not held** (300 dropped in all rounds).", text)

    def test_a_rate_that_was_exceeded_is_told(self):
        early = turn("autocannon", model="open", rate=1300.0)
        text = document.write(sitting([early], models=["open"]))
        self.assertIn("- autocannon: **the rate was not held**: it sent up to 30% more than was asked.", text)

    def test_a_machine_with_other_work_is_told(self):
        self.assertIn("The machine was quiet:", document.write(sitting([turn("wrk")])))
        busy = document.write(sitting([turn("wrk", others_cpu_s=2.6)]))
        self.assertIn("**The machine was not quiet: other work was done meanwhile**", busy)
        self.assertIn("at most 50% of a core", busy)

    def test_a_row_has_the_median_and_the_extremes(self):
        rounds = [turn("wrk", 1), turn("wrk", 2, rate=90_000.0, errors=3), turn("wrk", 3, rate=110_000.0)]
        text = document.write(sitting(rounds, rounds=3))
        self.assertIn("| wrk | 100,000 (90,000–110,000) | 8.0 | 40.0 | 3 | 77% | 77% |", text)

    def test_the_pages_of_the_repository_are_written_from_their_records(self):
        docs = ROOT / "docs"
        pages, records = ({file.stem for file in docs.glob(f"benchmarks*.{end}")} for end in ("md", "json"))
        self.assertEqual(pages, records, "one of them without the other")
        for name in sorted(pages):
            file = docs / f"{name}.json"
            fresh = document.write(json.loads(file.read_text(encoding="utf-8")), file.name)
            page = (docs / f"{name}.md").read_text(encoding="utf-8")
            self.assertEqual(page, fresh, "renew it: benches/peers --render --document docs/" + name + ".md")
