"""Children are measured, pinned, and never left behind."""
import os
import pathlib
import sys
import tempfile
import unittest

from sitting import process

CORE = max(os.sched_getaffinity(0))


class Processes(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def run_python(self, code, limit_s=60):
        return process.run([sys.executable, "-c", code], CORE, limit_s, self.folder)

    def test_what_a_child_says_and_how_it_ends_is_told(self):
        ended = self.run_python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
        self.assertEqual((ended.code, ended.output, ended.complaints), (7, "out\n", "err\n"))

    def test_the_time_of_a_child_and_of_its_own_children_is_counted(self):
        burn = "import time\nwhile time.process_time() < 0.3: pass"
        alone = self.run_python(burn)
        self.assertGreaterEqual(alone.cpu_s, 0.3)
        nested = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n{burn}"
        self.assertGreaterEqual(self.run_python(nested).cpu_s, 0.6)

    def test_a_small_program_does_not_have_the_memory_of_the_one_that_measures_it(self):
        ballast = bytearray(200_000_000)
        small = process.run(["sleep", "0.7"], CORE, 60, self.folder)
        self.assertTrue(0 < small.memory_bytes < 20_000_000, small.memory_bytes)
        self.assertEqual(len(ballast), 200_000_000)

    def test_the_peak_of_memory_is_told_also_when_it_is_over_at_the_end(self):
        ended = self.run_python("held = bytearray(b'x' * 300_000_000); del held")
        self.assertGreater(ended.memory_bytes, 300_000_000)

    def test_a_child_is_pinned(self):
        ended = self.run_python("import os; print(os.sched_getaffinity(0))")
        self.assertEqual(ended.output, f"{{{CORE}}}\n")

    def test_who_takes_too_long_is_killed_with_all_that_it_has_started(self):
        code = "import subprocess; child = subprocess.Popen(['sleep', '300']); print(child.pid, flush=True); child.wait()"
        with self.assertRaisesRegex(process.Failed, "not ended after 2 s"):
            self.run_python(code, limit_s=2)
        sleeper = int((self.folder / "stdout").read_text())
        fields = process.stat(sleeper)
        self.assertTrue(fields is None or fields[0] == "Z", "the grandchild is still there")

    def test_a_server_is_gone_when_the_one_who_uses_it_fails(self):
        with self.assertRaises(ZeroDivisionError):
            with process.started(["sleep", "300"], CORE, "TERM") as child:
                raise ZeroDivisionError
        self.assertIsNotNone(child.returncode)
        self.assertEqual(process.group(child.pid), [])

    def test_who_ignores_being_asked_is_made_to_end(self):
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"
        words = [sys.executable, "-c", code]
        with process.started(words, CORE, "TERM", stdout=-1, text=True) as child:
            self.assertEqual(child.stdout.readline(), "deaf\n")
        child.stdout.close()
        self.assertEqual(child.returncode, -9)
