"""The load generators: one file for each, with how it is started and how its output is read."""
from .autocannon import Autocannon
from .fcfs_bench import FcfsBench
from .goose import Goose
from .k6 import K6
from .locust import Locust
from .oha import Oha
from .wrk import Wrk

OWN = FcfsBench.name
ALL = {tool.name: tool for tool in (FcfsBench, Wrk, Oha, Goose, Autocannon, Locust, K6)}
