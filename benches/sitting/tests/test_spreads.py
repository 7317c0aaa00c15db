"""Medians, spreads, ratios and judgements, on figures that can be checked by hand."""
import unittest

from sitting import spreads
from sitting.spreads import Spread


def turn(tool, number, rate, cpu_us=10.0, **more):
    return {"tool": tool, "round": number, "rate": rate, "cpu_us": cpu_us} | more


class Spreads(unittest.TestCase):
    def test_the_median_is_of_the_rounds_that_have_a_figure(self):
        records = [turn("a", 1, 30.0), turn("a", 2, 10.0), turn("a", 3, 20.0), {"tool": "a", "failed": "x"}]
        self.assertEqual(spreads.spread(records, "rate"), Spread(20.0, 10.0, 30.0))
        self.assertIsNone(spreads.spread([{"failed": "x"}], "rate"))

    def test_a_ratio_is_of_the_same_round(self):
        records = [turn("own", 1, 100.0), turn("own", 2, 60.0), turn("peer", 1, 50.0), turn("peer", 2, 60.0)]
        self.assertEqual(spreads.ratio(records, "own", "peer", "rate"), Spread(1.5, 1.0, 2.0))

    def test_a_round_in_which_one_of_both_failed_has_no_ratio(self):
        records = [turn("own", 1, 100.0), turn("peer", 2, 60.0), {"tool": "peer", "round": 1, "failed": "x"}]
        self.assertIsNone(spreads.ratio(records, "own", "peer", "rate"))

    def test_the_ratio_of_what_is_spent_is_turned(self):
        records = [turn("own", 1, 1.0, cpu_us=7.0), turn("peer", 1, 1.0, cpu_us=21.0)]
        self.assertEqual(spreads.ratio(records, "own", "peer", "cpu_us", turned=True).median, 3.0)

    def test_spreads_that_overlap_are_even(self):
        low, high, between = Spread(1, 1, 2), Spread(4, 3, 5), Spread(2.5, 2, 3)
        self.assertEqual(spreads.judged(low, high, more_is_better=True), "worse")
        self.assertEqual(spreads.judged(low, high, more_is_better=False), "better")
        self.assertEqual(spreads.judged(high, low, more_is_better=True), "better")
        self.assertEqual(spreads.judged(low, between, more_is_better=True), "even")

    def test_a_rate_is_not_held_when_iterations_were_dropped(self):
        kept = turn("a", 1, 995.0, dropped=0)
        self.assertTrue(spreads.held([kept], 1000))
        self.assertFalse(spreads.held([kept, turn("a", 2, 980.0, dropped=0)], 1000))
        self.assertFalse(spreads.held([kept, turn("a", 2, 1000.0, dropped=1)], 1000))

    def test_a_rate_that_is_exceeded_is_told_by_how_much(self):
        self.assertEqual(spreads.exceeded([turn("a", 1, 1005.0)], 1000), 0)
        self.assertAlmostEqual(spreads.exceeded([turn("a", 1, 990.0), turn("a", 2, 1300.0)], 1000), 0.3)

    def test_only_what_was_under_way_may_be_missing_from_a_count(self):
        def count(own, server):
            return spreads.miscount({"requests": own, "server_counted": server, "connections": 200})

        self.assertEqual(count(10_000, 10_000), 0)
        self.assertEqual(count(10_000, 10_200), 0)
        self.assertGreater(count(10_000, 10_201), 0)
        # More than the server has seen is never right.
        self.assertGreater(count(10_001, 10_000), 0)
