# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine with a Debian of its own, kernel included, in place of the host of a world."""

from .machine import Machine
from .needs import install_needed

__all__ = ["Machine", "install_needed"]
