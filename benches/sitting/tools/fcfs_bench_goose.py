"""fcfs-bench with `engine: goose`: the same scenario, sent by the crate goose."""
import pathlib

from .fcfs_bench import FcfsBench

ROOT = pathlib.Path(__file__).resolve().parents[3]


class FcfsBenchGoose(FcfsBench):
    name = "fcfs-bench-goose"
    does = (
        "The scenario of fcfs-bench by `engine: goose`: the same bodies, users, histograms and history, but "
        "Goose starts the users and its client sends, in a process of its own; CPU is that of both, memory "
        "that of both together."
    )
    leaves_out = "The parts of a request before its answer; no open model."
    installed_at = "release/fcfs-bench"

    def install_commands(self):
        words = ["cargo", "build", "--release", "--locked", "--features", "goose"]
        words += ["--manifest-path", ROOT / "Cargo.toml"]
        return [(words, {"CARGO_TARGET_DIR": str(self.folder)})]

    def find(self):
        # Of the default build a program may be on the path, which has no such engine.
        cached = self.folder / self.installed_at
        self.program = cached if cached.exists() else None
        return self.program is not None

    def refuses(self, work):
        return "`engine: goose` has no open model" if work.rate else None

    def command(self, work, folder):
        words, environment = super().command(work, folder)
        return [*words, "--engine", "goose"], environment
