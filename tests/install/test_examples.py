# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples, as they are: each keeps what its README promises, as far as its test.sh says it; next to that
is by which change of its compose.yaml it was seen to fail. The oldest and the newest engine and Compose have
half of them each, with EVERY_ENGINE=1 all, and read the files of the others."""

import glob
import os
import re
import subprocess

import pytest

from lab import Host, World, roots
from lab.docker import PREDEFINED, Docker
from lab.judge import Judge
from lab.tailexitd import REPOSITORY

from example import Example, read

EXAMPLES = sorted(os.path.dirname(path) for path in glob.glob(REPOSITORY + "/examples/*/compose.yaml"))
NAMES = [os.path.basename(path) for path in EXAMPLES]
SUITES = "bookworm", "sid"
CASES = [(suite, path) for turn, suite in enumerate(SUITES) for number, path in enumerate(EXAMPLES)
         if os.environ.get("EVERY_ENGINE") or number % 2 == turn]


@pytest.fixture(scope="module", params=SUITES)
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


@pytest.mark.parametrize("host, path", CASES, indirect=["host"], scope="module",
                         ids=[f"{suite}-{os.path.basename(path)}" for suite, path in CASES])
def test_example(host, judge, path):
    example = Example(host, path, judge)
    try:
        example.up()
        example.play()
    finally:
        example.down()
    api = host.dockerd.api
    assert [box["Names"] for box in api("GET", "/containers/json?all=1")] == [["/control"]]
    assert {net["Name"] for net in api("GET", "/networks")} == {"control", *PREDEFINED}


def test_files_for_both_composes(host, judge):
    """Of those that are played with the other one. before.yaml as well, of which nothing is started."""
    for path in EXAMPLES:
        if (host.suite, path) not in CASES:
            for name in glob.glob(path + "/*.yaml"):
                Example(host, path, judge).understand(os.path.basename(name))


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


def test_the_difference_is_that_of_the_files():
    result = subprocess.run(["diff", "-u", "--label", "before.yaml", "--label", "compose.yaml",
                             "before.yaml", "compose.yaml"], text=True, capture_output=True, check=False,
                            cwd=REPOSITORY + "/examples/migrate-from-gluetun")
    assert result.stdout == read(REPOSITORY + "/examples/migrate-from-gluetun/changes.diff")


def test_scripts():
    scripts = [REPOSITORY + "/tests/install/example.sh",
               *glob.glob(REPOSITORY + "/examples/*/*.sh")]
    result = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", *scripts], text=True,
                            capture_output=True, check=False)
    assert result.stdout == ""
