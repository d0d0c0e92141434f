# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples, as they are, with the oldest and the newest engine and Compose: each keeps what its README
promises, as far as its test.sh says it. Next to that is by which change of its compose.yaml it was seen to
fail."""

import glob
import os
import re
import subprocess

import pytest

from lab import Host, World, roots
from lab.docker import Docker
from lab.judge import Judge
from lab.tailexitd import REPOSITORY

from example import Example, read

EXAMPLES = sorted(os.path.dirname(path) for path in glob.glob(REPOSITORY + "/examples/*/compose.yaml"))
NAMES = [os.path.basename(path) for path in EXAMPLES]


@pytest.fixture(scope="module", params=["bookworm", "sid"])
def host(request):
    try:
        roots.root(request.param)
    except roots.Unavailable as error:
        if request.param == roots.MANDATORY:
            raise
        pytest.skip(f"engine {roots.ENGINES[request.param]} cannot be had here: {error}")
    with World() as world:
        host = Host(world, request.param)
        host.boot()
        yield host


@pytest.fixture(scope="module")
def judge(host):
    """With somebody who leaves by the uplink whatever the host itself does."""
    docker = Docker(host)
    net = docker.network("tailexit", "-o", "policy=bypass", "--ipv6", "--subnet", "10.82.0.0/24",
                         "--subnet", "fd82::/64", name="control")
    return Judge(host.world, docker.run(net, name="control"), net)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_example(host, judge, path):
    example = Example(host, path, judge)
    try:
        example.up()
        example.play()
    finally:
        example.down()
    assert host.docker("ps", "-a", "--format", "{{.Names}}") == "control"
    assert host.docker("network", "ls", "--filter", "driver=tailexit", "--format",
                       "{{.Name}}") == "control"


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_what_belongs_to_an_example(path):
    readme = read(path + "/README.md")
    for title in "Try", "Verify", "Undo":
        assert f"\n## {title}" in readme
    assert "\n    " in readme and "| exit up | exit down |" in readme
    assert os.access(path + "/test.sh", os.X_OK)
    assert f"]({os.path.basename(path)}/)" in read(REPOSITORY + "/examples/README.md")
    # Every variable of compose.yaml can be set in .env, and nothing else.
    wanted = set(re.findall(r"\$\{(\w+)", read(path + "/compose.yaml")))
    assert wanted == set(re.findall(r"^(\w+)=", read(path + "/.env.example"), re.M))


def test_scripts():
    scripts = [REPOSITORY + "/tests/install/example.sh",
               *glob.glob(REPOSITORY + "/examples/*/*.sh")]
    result = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", *scripts], text=True,
                            capture_output=True, check=False)
    assert result.stdout == ""
