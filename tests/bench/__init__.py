# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark: us beside Docker's own driver, a script, or ourselves at another size. `make bench`; see
README.md."""
