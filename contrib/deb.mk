# SPDX-License-Identifier: GPL-2.0-or-later
# Included by the Makefile: a Debian package of what `make install` installs.

.PHONY: deb
deb: $(BUILD)/tailexit ## a Debian package, for `apt install ./build/tailexit_VERSION_ARCH.deb`
	$(Q)VERSION=$(VERSION) MAKE="$(MAKE)" contrib/deb.sh $(BUILD)
