# SPDX-License-Identifier: GPL-2.0-or-later
"""Where and how thoroughly is measured: what every module of rows is told."""

from dataclasses import dataclass

# Enough to see that the bench works; the numbers mean nothing.
QUICK_ROUNDS = 1


@dataclass(frozen=True)
class Setting:
    engine: str
    quick: bool = False

    def size(self, full, quick):
        """How many, how long: the real number, or the one that only shows that it works."""
        return quick if self.quick else full

    def rounds(self, row):
        return QUICK_ROUNDS if self.quick else row.rounds
