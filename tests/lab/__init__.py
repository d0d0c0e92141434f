# SPDX-License-Identifier: GPL-2.0-or-later
"""A laboratory for Docker network drivers, made of Linux namespaces. See README.md."""

from .host import Host
from .rundir import sweep
from .world import World

__all__ = ["Host", "World", "sweep"]
