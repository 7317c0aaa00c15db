"""What is common to all load generators: found, installed, started, read."""
import pathlib
import shutil
import subprocess

from ..work import Unreadable


class Tool:
    """A load generator. What differs from tool to tool is in a file of its own."""

    name = ""
    # What it does in this work, and what it leaves out, as sentences of the document.
    does = ""
    leaves_out = ""
    # Exit codes with which it has done its work.
    codes = frozenset({0})
    # Where --install puts the program, below the folder of the tool in the cache.
    installed_at = ""
    # How to get it where --install cannot.
    by_hand = ""

    def __init__(self, cache):
        self.folder = pathlib.Path(cache) / self.name
        self.program = None

    def find(self):
        """Looks for the program in the cache, then on the path; whether it is there."""
        cached = self.folder / self.installed_at if self.installed_at else None
        self.program = cached if cached and cached.exists() else shutil.which(self.name)
        return self.program is not None

    def install_commands(self):
        """What installs it into the cache: commands, each with additions to the environment."""
        return []

    def version(self):
        """The version, as the program says it."""
        raise NotImplementedError

    def refuses(self, work):  # pylint: disable=unused-argument
        """Why it cannot do this work, or None."""
        return None

    def command(self, work, folder):
        """The words to start it with, and additions to the environment; `folder` is its to use."""
        raise NotImplementedError

    def figures(self, output, work, folder):
        """The figures from what it has printed, or left in its folder."""
        raise NotImplementedError


def said_by(*words):
    """What a program prints, both streams; empty if it cannot be started."""
    try:
        said = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"{words[0]} does not tell its version: {error}") from None
    return said.stdout + said.stderr


def need(values, *path):
    """A value within a tool's JSON; Unreadable if it is not there."""
    at = values
    for key in path:
        if not isinstance(at, dict) or key not in at:
            raise Unreadable(f"its output has no {'.'.join(path)}")
        at = at[key]
    return at
