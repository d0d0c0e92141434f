# SPDX-License-Identifier: GPL-2.0-or-later
"""The leak suite: what may go wrong, done to a host whose containers never stop sending, and judged on
the ISP's wire. `make leaktest`; see README.md."""
