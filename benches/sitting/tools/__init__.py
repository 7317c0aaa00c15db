"""The load generators: one file for each, with how it is started and how its output is read."""
from .autocannon import Autocannon
from .fcfs_bench import FcfsBench
from .fcfs_bench_goose import FcfsBenchGoose
from .goose import Goose
from .k6 import K6
from .locust import Locust
from .oha import Oha
from .wrk import Wrk

OWN = FcfsBench.name
# The same scenario by another engine.
OTHER_ENGINE = FcfsBenchGoose.name
ALL = {
    tool.name: tool
    for tool in (FcfsBench, FcfsBenchGoose, Wrk, Oha, Goose, Autocannon, Locust, K6)
}
