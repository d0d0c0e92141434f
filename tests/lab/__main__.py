# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m lab up [engine] | sweep | roots [engine...]"""

import sys

from . import World, Host, roots, sweep, world

HELP = """
A {engine} host with dockerd{driver}. Leave the shell, and all of it is gone.

    docker run -d --name web -p 8080:80 lab/busybox:1      answers with the caller's address
    docker run --rm lab/busybox:1 wget -qO- http://{echo}/

From a second terminal of this machine: logs are in {dir}, the namespaces are
{prefix}-host, -lan, -isp, -net, -exit. From another computer of the LAN, so to speak:

    nsenter --net={lan} busybox wget -qO- http://{host}:8080/
"""


def up(engine="sid"):
    with World() as small_internet:
        host = Host(small_internet, engine)
        host.boot()
        print(HELP.format(
            engine=engine, driver=" and tailexit" if host.tailexit.running else "",
            echo=world.ECHO4, host=world.HOST4, lan=small_internet.lan.path, dir=host.path(),
            prefix=small_internet.prefix))
        host.shell()


def main(argv):
    match argv:
        case ["up"] | ["up", _]:
            sweep()
            up(*argv[1:])
        case ["sweep"]:
            for prefix in sweep():
                print("removed", prefix)
        case ["roots", *suites]:
            for suite in suites or roots.ENGINES:
                print(roots.root(suite))
        case _:
            sys.exit(__doc__)


main(sys.argv[1:])
