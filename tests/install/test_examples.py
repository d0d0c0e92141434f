# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples, as they are, with the oldest and the newest engine and Compose."""

import glob
import os
import re
import shutil

import pytest

from lab import Host, World, image, proc, roots
from lab.docker import Docker
from lab.tailexitd import REPOSITORY

EXAMPLES = sorted(glob.glob(REPOSITORY + "/examples/*/compose.yaml"))


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


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.split("/")[-2])
def test_example(host, example):
    with open(example, encoding="utf-8") as file:
        text = file.read()
    # There is no registry to pull from: the lab's image stands in for all.
    for name in re.findall(r"image: (\S+)", text):
        host.docker("tag", image.NAME, name)
    os.makedirs(host.path("etc", "example"), exist_ok=True)
    shutil.copy(example, host.path("etc", "example"))
    compose = "docker-compose", "-f", "/etc/docker/example/compose.yaml"

    host.run(*compose, "up", "-d")
    services = re.search(r"^services:\n(.*?)^\S", text, re.M | re.S)[1]
    running = host.docker("ps", "-q").split()
    assert len(running) == len(re.findall(r"^  \w+:$", services, re.M))
    networks = host.docker("network", "ls", "-q", "--filter", "driver=tailexit").split()
    assert len(networks) == 1
    for port in re.findall(r'"(\d+):\d+"', text):
        proc.wait_for(lambda port=port: port in {str(entry["host_port"]) for entry in
                                                 host.tailexit.ports()}, f"port {port}")
    host.run(*compose, "down", "-t", "1")
    assert host.docker("network", "ls", "-q", "--filter", "driver=tailexit") == ""
    Docker(host).clean()
