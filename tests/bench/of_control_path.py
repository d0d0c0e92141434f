# SPDX-License-Identifier: GPL-2.0-or-later
"""What Docker does with networks and containers: ours beside its own driver bridge, on one host."""

import contextlib
import functools

from . import script
from .docker_host import docker_host, timed
from .idle_driver import idle_driver
from .row import Goal, Row, Side, Sides

DRIVERS = "tailexit", "bridge"
# In the order in which a container meets them.
OF_RUN = ("CreateEndpoint", "EndpointOperInfo", "Join", "ProgramExternalConnectivity",
          "RevokeExternalConnectivity", "Leave", "DeleteEndpoint")
# Of the network that a script confines; any link does, since nothing is sent.
SUBNET, UPLINK = "10.99.0.0/24", "lan0"
OWN = "the daemon's own part"


def measure_create(stage, driver):
    taken, name = [], stage.name("net")
    with timed(taken):
        stage.create_network(driver, name)
    stage.remove_network(name)
    return taken[0]


def measure_remove(stage, driver):
    taken = []
    name = stage.create_network(driver, stage.name("net"))
    with timed(taken):
        stage.remove_network(name)
    return taken[0]


def measure_connect(stage, box, network, what):
    """One of the two, of a container that runs."""
    taken = {"connect": [], "disconnect": []}
    for verb, times in taken.items():
        with timed(times):
            stage.api("POST", f"/networks/{network}/{verb}", {"Container": box})
    return taken[what][0]


def measure_scripted(stage):
    """A network of bridge, and the commands that make a killswitch of it."""
    taken, name = [], stage.name("net")
    with timed(taken):
        stage.create_network("bridge", name, SUBNET)
        stage.host.run("sh", "-ec", script.by_hand("killswitch", SUBNET, UPLINK))
    stage.host.run("sh", "-ec", script.by_hand("killswitch", SUBNET, UPLINK, undo=True))
    stage.remove_network(name)
    return taken[0]


@contextlib.contextmanager
def beside_script(stage):
    yield Sides(Side("tailexit", functools.partial(measure_create, stage, "tailexit")),
                Side("bridge and script", functools.partial(measure_scripted, stage)))


def each_driver(measure):
    """Sides of something that is done with the name of a driver."""
    @contextlib.contextmanager
    def prepare(stage):
        yield Sides(*(Side(driver, functools.partial(measure, stage, driver)) for driver in DRIVERS))
    return prepare


def beside(number):
    """The same, where so many networks of the driver are already."""
    @contextlib.contextmanager
    def prepare(stage):
        with contextlib.ExitStack() as stack:
            for place, driver in enumerate(DRIVERS):
                for other in range(number):
                    stack.enter_context(stage.network(driver, f"10.{100 + place}.{other}.0/24"))
            yield Sides(*(Side(driver, functools.partial(measure_create, stage, driver))
                          for driver in DRIVERS))
    return prepare


def over_none(measure):
    """Sides of something that is done with a network; --network none is taken off."""
    @contextlib.contextmanager
    def prepare(stage):
        with stage.networks(*DRIVERS) as names:
            yield Sides(*(Side(driver, functools.partial(measure, stage, name))
                          for driver, name in zip(DRIVERS, names)),
                        base=Side("none", functools.partial(measure, stage, "none")))
    return prepare


def run_with_ports(stage, network, number):
    return stage.run(network, 0 if network == "none" else number)


@contextlib.contextmanager
def engines_part(stage):
    """Of `docker run`: with a driver that does nothing."""
    with idle_driver(stage.host) as idle, stage.networks(idle, "tailexit") as names:
        yield Sides(*(Side(text, functools.partial(stage.run, name))
                      for text, name in zip(("a driver that does nothing", "tailexit"), names)),
                    base=Side("none", functools.partial(stage.run, "none")))


def connected(what):
    @contextlib.contextmanager
    def prepare(stage):
        box = stage.create_box("bridge", command=("sleep", "1000"))
        stage.start_box(box)
        with stage.networks(*DRIVERS) as names:
            yield Sides(*(Side(driver, functools.partial(measure_connect, stage, box, name, what))
                          for driver, name in zip(DRIVERS, names)))
        stage.remove_box(box)
    return prepare


class Own:
    """One doing, measured twice: all of it, and the daemon's part of the same."""

    def __init__(self, stage, methods, do):
        self.stage, self.methods, self.do = stage, methods, do
        self.part = 0

    def whole(self):
        before = self.stage.calls()
        taken = self.do()
        self.part = self.stage.own_milliseconds(self.methods, before)
        return taken

    def own(self):
        return self.part

    def histogram(self):
        """Of each call since the daemon's start: how many took less than so many microseconds, and not less
        than half of that."""
        calls = self.stage.calls()
        return [f"{method}: {calls[method]['count']} calls, the slowest {calls[method]['slowest_us']} us; "
                + ", ".join(f"{number} below {limit}" for limit, number in calls[method]["below_us"].items())
                for method in self.methods if method in calls]


def own_part(methods, do):
    """do(stage, network): how long it took. Base and peer are measured first."""
    @contextlib.contextmanager
    def prepare(stage):
        with stage.networks("tailexit") as (name,):
            own = Own(stage, methods, lambda: do(stage, name))
            yield Sides(Side(OWN, own.own), Side("all of it", own.whole), detail=own.histogram)
    return prepare


def rows(setting):
    stage = functools.partial(docker_host, setting.engine)
    together = setting.size(50, 3)
    beside_100 = setting.size(100, 2)

    def row(name, prepare, goal=None, rounds=15, note="", drawn=True):
        return Row(name, "ms", "less", prepare, stage, goal, rounds, note, drawn)

    return [
        row("network create", each_driver(measure_create), Goal(0.3)),
        row("network create with a killswitch", beside_script, note="six commands after that of Docker's"),
        row("network rm", each_driver(measure_remove)),
        row(f"network create, beside {beside_100} others of the driver", beside(beside_100), rounds=7),
        row("docker run --rm, over --network none", over_none(lambda stage, net: stage.run(net)), Goal(0.3)),
        row("docker run --rm, over --network none: the engine's part", engines_part,
            note="a container on a network, whatever its driver does; and no link in it", drawn=False),
        row("publish 20 ports, over --network none",
            over_none(functools.partial(run_with_ports, number=20)), Goal(0.05), 7,
            "docker run --rm -p ... of 20 ports"),
        row(f"start {together} containers at once, over none",
            over_none(lambda stage, net: stage.together(net, together)), rounds=3),
        row("network connect, of a running container", connected("connect")),
        row("network disconnect, of a running container", connected("disconnect")),
        row("network create: the daemon's own time", own_part(
            ["CreateNetwork"], lambda stage, _: measure_create(stage, "tailexit")), drawn=False),
        row("docker run --rm: the daemon's own time", own_part(OF_RUN, lambda stage, net: stage.run(net)),
            note="all calls of one container together", drawn=False),
    ]
