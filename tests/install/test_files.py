# SPDX-License-Identifier: GPL-2.0-or-later
"""What is delivered, without a machine: installed files, words in the documents, the manifest."""

import glob
import json
import os
import re
import subprocess

import pytest

from lab.tailexitd import BINARY, REPOSITORY

INSTALLED = {
    "bin/tailexit": 0o755,
    "lib/systemd/system/tailexit-guard.service": 0o644,
    "lib/systemd/system/tailexit.service": 0o644,
    "lib/systemd/system/tailexit.socket": 0o644,
    "share/bash-completion/completions/tailexit": 0o644,
    "share/man/man8/tailexit.8": 0o644,
}


def read(*names):
    with open(os.path.join(REPOSITORY, *names), encoding="utf-8") as file:
        return file.read()


def run(*argv, **options):
    return subprocess.run(argv, cwd=REPOSITORY, text=True, capture_output=True, check=True,
                          **options)


def table(path, name):
    """The lines of a const table in a C file."""
    return re.search(rf"{name}\[\] = {{\n(.*?)\n}};", read(path), re.S)[1]


def plain(mdoc):
    """The page as somebody reads it, on one line."""
    text = run("mandoc", "-T", "ascii", os.path.join(REPOSITORY, mdoc)).stdout
    return re.sub(r"\s+", " ", re.sub(".\b", "", text))  # bold is x, backspace, x


@pytest.fixture(scope="module")
def page():
    return plain("contrib/tailexit.8")


def tree(path):
    return {os.path.relpath(os.path.join(folder, name), path):
            os.stat(os.path.join(folder, name)).st_mode & 0o7777
            for folder, _, names in os.walk(path) for name in names}


@pytest.mark.parametrize("prefix", ["/usr/local", "/usr"])
def test_install_and_uninstall(tmp_path, prefix):
    target = [f"DESTDIR={tmp_path}", f"PREFIX={prefix}"]
    run("make", "install", *target)
    assert tree(str(tmp_path) + prefix) == INSTALLED
    for unit, command in ("tailexit", "serve"), ("tailexit-guard", "guard"):
        text = (tmp_path / prefix[1:] / f"lib/systemd/system/{unit}.service").read_text()
        assert f"ExecStart={prefix}/bin/tailexit {command}\n" in text
    run("make", "uninstall", *target)
    assert tree(str(tmp_path)) == {}


def test_units():
    socket = read("contrib/systemd/tailexit.socket")
    service = read("contrib/systemd/tailexit.service")
    default = re.search(r'"TAILEXIT_SOCKET", "(\S+)"', read("plugin/settings.c"))[1]
    assert f"\nListenStream={default}\n" in socket
    for unit in socket, service:
        assert "\nBefore=docker.service\n" in unit
    # Without it a restart of the daemon would forget every container.
    assert "\nRuntimeDirectoryPreserve=yes\n" in service


def test_guard_unit():
    guard = read("contrib/systemd/tailexit-guard.service")
    service = read("contrib/systemd/tailexit.service")
    before = re.search(r"^Before=(.* docker\.service)$", guard, re.M)[1].split()
    assert "network-pre.target" in before and "tailexit.service" in before
    default = re.search(r'"TAILEXIT_STATE_DIR", "(\S+)"', read("plugin/settings.c"))[1]
    assert f"\nRequiresMountsFor={default}\n" in guard
    # The same walls around it, but for a /tmp, which it would have to wait for.
    for wall in re.findall(r"^(?:Protect|Private|Restrict|Lock|MemoryDeny|System|UMask|NoNew).*$",
                           service, re.M):
        if not wall.startswith(("PrivateTmp", "RestrictAddressFamilies")):
            assert f"\n{wall}\n" in guard, wall
    assert not re.search("^(ReadWritePaths|StateDirectory|RuntimeDirectory)=", guard, re.M)


def test_manual_page_is_correct():
    result = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", os.path.join(REPOSITORY, "contrib/tailexit.8")],
        text=True, capture_output=True, check=False)
    # Pages of other packages need not be installed.
    complaints = [line for line in (result.stdout + result.stderr).splitlines()
                  if "Xr" not in line or "order" in line]
    assert [line for line in complaints if "mandoc.db" not in line] == []


def settings():
    """Flag, environment variable, default; the latter two may be missing."""
    return re.findall(r'{ "([a-z-]+)", [A-Z]+, (?:"(\w+)"|NULL), *(?:"([^"]+)"|NULL)',
                      table("plugin/settings.c", "table"))


def test_manual_page_has_every_setting(page):
    assert len(settings()) >= 6
    for flag, variable, default in settings():
        assert f" --{flag}" in page
        if variable:
            assert re.search(rf"--{flag} \w+, {variable} ", page), flag
            assert default in page


def test_help_is_what_the_page_describes(page):
    commands = re.findall(r"^  ([a-z]+) ", run(BINARY, "--help").stdout, re.M)
    assert "serve" in commands and "ports" in commands
    for command in commands:
        synopsis = re.search(rf"tailexit {command}((?: \[[^]]*\])+)", page)
        assert synopsis, command
        flags = re.findall(r"--([a-z-]+)", run(BINARY, command, "--help").stdout)
        assert sorted(flags) == sorted(re.findall(r"--([a-z-]+)", synopsis[1])), command


def options():
    """The words that are in use, and those that are reserved."""
    found = re.findall(r'{ "(\w+)", (\w+),', table("policy/model/option.c", "option_table"))
    return ([name for name, setter in found if setter != "NULL"],
            [name for name, setter in found if setter == "NULL"])


def test_every_option_is_described():
    page, readme = read("contrib/tailexit.8"), read("README.md")
    docker = re.findall(r'{ "([a-z_.0-9]+)", set_', table("plugin/docker_option.c",
                                                        "docker_option_table"))
    used, reserved = options()
    assert len(used) + len(reserved) >= 11 and len(docker) >= 11
    for name in used:
        assert f".It Cm {name}\n" in page and f"| `{name}` |" in readme, name
    for name in docker:
        assert f".It Cm com.docker.network.{name}\n" in page and f"`{name}`" in readme, name


def test_manual_page_names_what_is_reserved(page):
    reserved = options()[1]
    sentence = re.search(r"The keys? ([\w, ]+) (?:are|is) reserved", page)
    named = re.findall(r"\w+", sentence[1].replace(" and ", " ")) if sentence else []
    assert sorted(named) == sorted(reserved)


def test_numbers_of_the_kernel(page):
    names = read("policy/plan/names.h")
    value = dict(re.findall(r"#define (\w+) (0x[0-9a-f]+|\d+)u?\b", names))
    for text in page, read("README.md"):
        assert f"ip route show table {int(value['TABLE_LOCAL'], 0)}" in text
        assert "inet " + re.search(r'NFT_TABLE "(\w+)"', names)[1] in text
        assert re.search(r'BRIDGE_PREFIX "([\w-]+)"', names)[1] in text
    assert f"protocol {int(value['ROUTE_PROTOCOL'], 0)}" in page
    preferences = [int(number) for name, number in value.items() if name.startswith("PREF_")]
    assert f"preferences from {min(preferences)} to {max(preferences)} " in page
    assert f"the bits {value['MARK_MASK']}." in page


def test_manifest():
    manifest = json.loads(read("config.json"))
    assert manifest["interface"]["types"] == ["docker.networkdriver/1.0"]
    assert manifest["network"]["type"] == "host"
    assert "CAP_NET_ADMIN" in manifest["linux"]["capabilities"]
    environment = {entry["name"]: entry for entry in manifest["env"]}
    defaults = {variable: default for _, variable, default in settings() if variable}
    fixed = dict(zip(manifest["entrypoint"][2::2], manifest["entrypoint"][3::2]))
    assert all(entry["settable"] == ["value"] for entry in environment.values())
    # An upgrade brings no variable that is new: what is not in the environment has to do as it is, and
    # must not be set where that would lose networks.
    assert set(defaults) - set(environment) == {
        "TAILEXIT_STATE_DIR", "TAILEXIT_RUN_DIR", "TAILEXIT_SYSCTL_DIR"}
    assert defaults["TAILEXIT_STATE_DIR"] == manifest["propagatedMount"]
    mounted = tuple(entry["destination"] + "/" for entry in manifest["mounts"])
    for path in (defaults["TAILEXIT_RUN_DIR"], environment["TAILEXIT_DOCKER_SOCK"]["value"],
                 fixed["--sysctl-dir"] + "/net"):
        assert (path + "/").startswith(mounted), path
    own, hosts = environment["TAILEXIT_SOCKET"]["value"].split(",")
    assert own == "/run/docker/plugins/" + manifest["interface"]["socket"]
    assert hosts.startswith(mounted) and hosts.endswith(defaults["TAILEXIT_SOCKET"])
    # Docker mounts the plugin's own directory over one of the host's: not for the host to see.
    assert all("private" in entry["options"] for entry in manifest["mounts"])


def test_version_is_one():
    makefile = re.search(r"^VERSION := (\S+)$", read("Makefile"), re.M)[1]
    assert run(BINARY, "--version").stdout == f"tailexit {makefile}\n"
    assert f"**Version {makefile} " in read("README.md")


def test_links_lead_somewhere():
    documents = [*glob.glob(REPOSITORY + "/*.md"), *glob.glob(REPOSITORY + "/examples/**/*.md",
                                                             recursive=True)]
    assert len(documents) >= 5
    for document in documents:
        with open(document, encoding="utf-8") as file:
            links = re.findall(r"\]\(([^)#]+)\)", file.read())
        for link in links:
            assert link.startswith("https://") or os.path.exists(
                os.path.join(os.path.dirname(document), link)), f"{document}: {link}"


def test_scripts():
    scripts = [*glob.glob(REPOSITORY + "/contrib/*.sh"), *glob.glob(REPOSITORY + "/contrib/debian/p*"),
               REPOSITORY + "/contrib/tailexit.bash",
               REPOSITORY + "/tests/install/init.sh"]
    result = subprocess.run(["shellcheck", *scripts], cwd=REPOSITORY, text=True,
                            capture_output=True, check=False)
    assert result.stdout == ""
