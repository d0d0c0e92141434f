# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian, kernel included, in a virtual machine: its power goes while everybody sends, and it boots
where no tunnel is. Its wire is watched from before it is switched on."""

import contextlib
import shlex
import time

from lab import World, proc
from lab.image import NAME
from lab.tunnel import MTU, TAILSCALE, TAILSCALE_MARK
from vm import Machine, disk, install_needed

from .fault import Fault
from .row import Row, verdict
from .subject import all_subjects
from .wires import Wires, of

TITLE = "vm: power cut and cold boot without tunnel"
PATIENCE = 1800
# For so long they go on after the last of them has begun.
SECONDS = 10
KINDS = "tcp", "udp", "quic", "dns", "ping", "large"
ENOUGH = 100
# Of each network that the engine knows, and the daemon as well: its name, and how many packets came from its
# container, whatever became of them.
SENT = """docker network ls --no-trunc -f driver=tailexit --format '{{.Name}} {{.ID}}' > /run/networks
while read -r name id; do
    bridge=/sys/class/net/te-${id:0:12}
    test -d $bridge
    echo "$name $(cat $bridge/lower_*/statistics/rx_packets 2> /dev/null || echo 0)"
done < /run/networks"""
# How each start went, and how often it was tried again.
STARTS = """for unit in tailexit-guard tailexit; do
    echo "$unit $(systemctl show -P Result $unit) $(systemctl show -P NRestarts $unit)"
done"""
LAST = "last-moment"


def tunnel_commands(tunnel):
    """The kernel's WireGuard, and what Tailscale lays beside its own."""
    ends, mark = TAILSCALE, TAILSCALE_MARK + "/0xff0000"
    near, far = tunnel.keys()
    yield f"ip link add {ends.link} type wireguard"
    yield (f"echo {near} | wg set {ends.link} private-key /dev/stdin fwmark {TAILSCALE_MARK} "
           f"peer {far} allowed-ips 0.0.0.0/0,::/0 endpoint {ends.seen[0]}:{ends.port} "
           "persistent-keepalive 25")
    for address in ends.host:
        yield f"ip addr add {address} dev {ends.link}"
    yield f"ip link set {ends.link} mtu {MTU} up"
    for family in "-4", "-6":
        for rule in (f"pref 5210 fwmark {mark} lookup main", f"pref 5230 fwmark {mark} lookup default",
                     f"pref 5250 fwmark {mark} unreachable", "pref 5270 lookup 52"):
            yield f"ip {family} rule add {rule}"
    for address in ends.exit:
        yield f"ip route add {address} dev {ends.link} table 52"


def run_all(machine, commands):
    return machine.run("set -e\n" + "\n".join(commands))


def container(subject):
    """It sends from its first moment on. Where there is no default route, it makes its own."""
    script = " ; ".join(f"ip route add default via {gateway} 2> /dev/null" for gateway in
                        (subject.subnet4 + ".1", subject.subnet6 + ":1"))
    options = [*subject.box_options(), "--cap-add", "NET_ADMIN", "-v", "/opt/lab/eager:/bin/eager:ro", NAME]
    return ["docker", "create", *options, "sh", "-c", f"{script} ; exec eager {' '.join(subject.targets)}"]


def create(machine, subjects):
    """They start when all are there: what they send takes much of the machine."""
    run_all(machine, [f"docker import /opt/lab/image.tar {NAME} > /dev/null"])
    for subject in subjects:
        run_all(machine, [
            shlex.join(["docker", "network", "create", "-d", "tailexit", *subject.network_options(),
                        subject.name]),
            shlex.join(container(subject))])
    run_all(machine, ["docker start " + " ".join("of-" + subject.name for subject in subjects)])


def seen(counter, subject):
    """Every kind over each family?"""
    return all(counter.get((subject.name, kind, family)) for kind in KINDS for family in (4, 6))


def all_seen(wires, subjects):
    return all(seen(wires.uplink if subject.way == "uplink" else wires.exit, subject)
               for subject in subjects if subject.way)


def free_seen(wires, subjects):
    return all_seen(wires, [subject for subject in subjects if subject.way == "uplink"])


def wait_for(condition, what):
    proc.wait_for(condition, what, PATIENCE, step=0.2)


class Boots:
    """The two boots of one machine, judged apart."""

    def __init__(self, world, machine, row):
        self.world, self.machine, self.row = world, machine, row
        self.subjects = all_subjects()
        self.engine_up = []  # seconds
        for subject in self.subjects:
            world.net.address("lo", subject.targets[0] + "/32", subject.targets[1] + "/128")

    @contextlib.contextmanager
    def watched(self, when):
        """Whatever happens meanwhile, what was seen is told."""
        row = self.row
        with Wires(self.world, self.subjects) as wires:
            try:
                yield wires
            except (TimeoutError, RuntimeError, OSError) as error:
                row.wrong.append(f"{when}: {error}")
        row.uplink, row.exit, row.refusals = wires.uplink, wires.exit, len(wires.refusals)
        row.wrong += [f"{when}: {text}" for text in verdict(self.subjects, wires)]
        if wires.refusals:
            row.wrong.append(f"{when}: {row.refusals} refusals of the host's own left by the uplink")

    def switch_on(self):
        began = time.monotonic()
        self.machine.on()
        self.machine.wait()
        self.machine.until("docker version", "engine")
        self.engine_up.append(time.monotonic() - began)
        for line in run_all(self.machine, [STARTS]).splitlines():
            unit, result, restarts = line.split()
            if (result, restarts) != ("success", "0"):
                self.row.wrong.append(f"{unit} did not start at once: {result}, {restarts} times again")

    def first(self):
        """Everything is made, and is seen where it should be; then the power goes."""
        with self.watched("before the power cut") as wires:
            self.switch_on()
            self.world.tunnel.far_end()
            run_all(self.machine, tunnel_commands(self.world.tunnel))
            create(self.machine, self.subjects)
            wait_for(lambda: all_seen(wires, self.subjects), "packet of every kind on its way")
            # The engine does not see to it that an image's files are on the disk.
            self.machine.run("sync")
            # What is answered is on the disk.
            self.machine.run("docker network create -d tailexit " + LAST)
            self.machine.pull_plug()

    def second(self):
        with self.watched("after it") as wires:
            self.switch_on()
            self.machine.until(f"test $(docker ps -q | wc -l) = {len(self.subjects)}",
                               "containers that have started again")
            wait_for(lambda: free_seen(wires, self.subjects), "packet of every kind of bypass and open")
            time.sleep(SECONDS)
            self.count_sent()
            if of(wires.exit, "killswitch"):
                self.row.wrong.append("after it: there was a tunnel")
            if not any(of(wires.uplink, subject.name) for subject in self.subjects if subject.confined):
                self.back(wires)

    def count_sent(self):
        """So that who is silent on the wire has not been silent anyway."""
        lines = run_all(self.machine, [SENT]).splitlines()
        sent = {name: int(count) for name, count in (line.split() for line in lines)}
        if LAST not in sent:
            self.row.wrong.append(f"the network {LAST} is forgotten")
        for subject in self.subjects:
            self.row.rounds[subject.name] = sent.get(subject.name, 0)
            if sent.get(subject.name, 0) < ENOUGH:
                self.row.wrong.append(f"{subject.name} has sent too little: {sent}")

    def back(self, wires):
        """The tunnel comes, and who may uses it."""
        began = time.monotonic()
        run_all(self.machine, tunnel_commands(self.world.tunnel))
        wait_for(lambda: all_seen(wires, self.subjects), "packet of every kind through the exit")
        self.row.settled_ms = 1000 * (time.monotonic() - began)
        difference = self.machine.run("tailexit plan --diff", check=False)
        if difference:
            self.row.wrong.append("after it: not as it should be: " + difference)


# Seen to fail: without the last rule of a killswitch in egress.c, the backstop of its path and add_closed()
# in path.c, and the fence in links.c: 4160 packets of the closed network left, in the first boot. With
# add_closed(), whose refusals come first, nothing did.
def play(engine):
    """Raises roots.Unavailable if there can be no machine here."""
    install_needed()
    row = Row(engine, (Fault(TITLE, "1 2 21", None),))
    with World() as world, Machine(world, engine) as machine:
        boots = Boots(world, machine, row)
        boots.first()
        if not row.wrong:
            boots.second()
    row.remark = (f"Linux {disk.kernel_version(engine)}, engine up after "
                  + " and ".join(f"{seconds:.0f} s" for seconds in boots.engine_up)
                  + f"; the control: {of(row.uplink, 'open')} packets of open left by the uplink")
    return row, boots.subjects
