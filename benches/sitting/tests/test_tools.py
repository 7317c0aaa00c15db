"""What each tool printed in a real run, as it printed it, is read as what it means."""
import pathlib
import shutil
import tempfile
import unittest

from sitting import tools
from sitting.work import Unreadable, Work

OUTPUTS = pathlib.Path(__file__).resolve().parent / "outputs"
ANSWERED = Work("http://127.0.0.1:1", "/issue", 200, 20, 2)
REFUSED = Work("http://127.0.0.1:1", "/issue", 400, 20, 2)


class Outputs(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def read(self, name, file, work=ANSWERED, left_as=None):
        """The figures of a tool from a file of this folder: printed, or left in its own folder."""
        output = (OUTPUTS / file).read_text(encoding="utf-8")
        if left_as:
            (self.folder / left_as).parent.mkdir(exist_ok=True)
            shutil.copy(OUTPUTS / file, self.folder / left_as)
        return tools.ALL[name](self.folder).figures(output, work, self.folder)

    def test_answers_of_nginx(self):
        for name, file, left_as, requests, seconds in (
            ("fcfs-bench", "fcfs-bench-nginx.json", "run/summary.json", 8894, 1.01667141),
            ("fcfs-bench-goose", "fcfs-bench-goose-nginx.json", "run/summary.json", 55333, 1.000945379),
            ("wrk", "wrk-nginx.txt", None, 50267, 1.01),
            ("oha", "oha-nginx.json", None, 27089, 1.001813712),
            ("goose", "goose-nginx.txt", None, 11946, 1.1035),
            ("autocannon", "autocannon-nginx.json", None, 8693, 1.06),
            ("locust", "locust-nginx.json", None, 1177, 0.413221),
            ("k6", "k6-nginx.json", "summary.json", 3775, 1.010652),
        ):
            with self.subTest(tool=name):
                figures = self.read(name, file, left_as=left_as)
                self.assertEqual((figures.requests, figures.errors, figures.dropped), (requests, 0, 0))
                self.assertAlmostEqual(figures.seconds, seconds, places=5)

    def test_refusals_that_are_due_are_no_errors(self):
        for name, file, left_as, requests in (
            ("fcfs-bench", "fcfs-bench-reference.json", "run/summary.json", 8461),
            ("wrk", "wrk-reference.txt", None, 6944),
            ("oha", "oha-reference.json", None, 5551),
            ("goose", "goose-reference.txt", None, 6938),
            ("autocannon", "autocannon-reference.json", None, 4534),
            ("locust", "locust-reference.json", None, 903),
            ("k6", "k6-reference.json", "summary.json", 4045),
        ):
            with self.subTest(tool=name):
                figures = self.read(name, file, REFUSED, left_as)
                self.assertEqual((figures.requests, figures.errors), (requests, 0))

    def test_every_answer_with_another_status_is_an_error(self):
        # The others are told while they run which status is due.
        for name, ending in (("wrk", "txt"), ("oha", "json"), ("autocannon", "json")):
            with self.subTest(tool=name):
                refused = self.read(name, f"{name}-reference.{ending}", ANSWERED)
                self.assertEqual(refused.errors, refused.requests)
                answered = self.read(name, f"{name}-nginx.{ending}", REFUSED)
                self.assertEqual(answered.errors, answered.requests)
        unexpected = self.read("fcfs-bench", "fcfs-bench-reference.json", ANSWERED, "run/summary.json")
        self.assertEqual(unexpected.errors, unexpected.requests)

    def test_connections_that_are_refused_are_errors(self):
        for name, file, left_as, errors in (
            ("oha", "oha-dead.json", None, 37650),
            ("goose", "goose-dead.txt", None, 23282),
            ("autocannon", "autocannon-dead.json", None, 4680),
            ("locust", "locust-dead.json", None, 850),
            ("k6", "k6-dead.json", "summary.json", 5857),
        ):
            with self.subTest(tool=name):
                self.assertEqual(self.read(name, file, left_as=left_as).errors, errors)

    def test_the_open_model_tells_what_it_dropped(self):
        work = Work("http://127.0.0.1:1", "/issue", 200, 20, 1, rate=500)
        late = self.read("fcfs-bench", "fcfs-bench-nginx-open.json", work, "run/summary.json")
        self.assertEqual((late.requests, late.dropped), (406, 94))
        kept = self.read("oha", "oha-nginx-open.json", work)
        self.assertEqual((kept.requests, kept.errors), (500, 0))
        kept = self.read("autocannon", "autocannon-nginx-open.json", work)
        self.assertEqual((kept.requests, kept.errors), (633, 0))
        kept = self.read("k6", "k6-nginx-open.json", work, "summary.json")
        self.assertEqual((kept.requests, kept.dropped), (502, 0))

    def test_sockets_that_failed_in_wrk_are_errors(self):
        output = (OUTPUTS / "wrk-nginx.txt").read_text(encoding="utf-8")
        failed = "  Socket errors: connect 1, read 20, write 300, timeout 4000\nRequests/sec"
        figures = tools.ALL["wrk"](self.folder).figures(
            output.replace("Requests/sec", failed), ANSWERED, self.folder
        )
        self.assertEqual(figures.errors, 4321)

    def test_output_of_another_form_is_never_taken_for_figures(self):
        for name, tool in tools.ALL.items():
            for output in ("", "Segmentation fault\n", "{}", "[]", '{"requests": '):
                with self.subTest(tool=name, output=output), self.assertRaises(Unreadable):
                    tool(self.folder).figures(output, ANSWERED, self.folder)

    def test_every_tool_is_told_where_to_ask_for_how_long_and_over_how_many_connections(self):
        for name, tool in tools.ALL.items():
            for work in (ANSWERED, REFUSED):
                words, environment = tool(self.folder).command(work, self.folder)
                files = " ".join(file.read_text() for file in self.folder.iterdir() if file.is_file())
                text = f"{words} {environment} {files}"
                with self.subTest(tool=name):
                    for part in (work.url, work.path, "20", "2"):
                        self.assertIn(part, text)

    def test_the_open_model_is_refused_or_has_its_rate(self):
        work = Work("http://127.0.0.1:1", "/issue", 200, 20, 2, rate=1234)
        refused = []
        for name, tool in tools.ALL.items():
            tool = tool(self.folder)
            if tool.refuses(work):
                refused.append(name)
                continue
            words, _ = tool.command(work, self.folder)
            files = " ".join(file.read_text() for file in self.folder.iterdir() if file.is_file())
            self.assertIn("1234", f"{words} {files}", name)
        self.assertEqual(refused, ["fcfs-bench-goose", "wrk", "goose", "locust"])
