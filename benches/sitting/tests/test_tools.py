"""What each tool printed in a real run, as it printed it, is read as what it means."""
import json
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
        self.assertEqual(refused, ["wrk", "goose", "locust"])
