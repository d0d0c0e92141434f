# SPDX-License-Identifier: GPL-2.0-or-later
# Included by the Makefile: where things go, and the two commands of the README.

BINDIR = $(DESTDIR)$(PREFIX)/bin
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man8
COMPLETIONDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

.PHONY: install
install: $(BUILD)/tailexit ## install below DESTDIR and PREFIX (/usr/local); starts nothing
	$(Q)install -D -m 0755 $(BUILD)/tailexit $(BINDIR)/tailexit
	$(Q)install -D -m 0644 contrib/tailexit.8 $(MANDIR)/tailexit.8
	$(Q)install -D -m 0644 contrib/tailexit.bash $(COMPLETIONDIR)/tailexit
	$(Q)install -d $(UNITDIR)
	$(Q)install -m 0644 contrib/systemd/tailexit.socket $(UNITDIR)/
	$(Q)for unit in tailexit tailexit-guard; do \
		sed 's|/usr/local|$(PREFIX)|' contrib/systemd/$$unit.service > $(UNITDIR)/$$unit.service && \
		chmod 0644 $(UNITDIR)/$$unit.service || exit 1; done

# And the directories that Debian does not have below /usr/local, once they are empty.
.PHONY: uninstall
uninstall: ## remove what install put there
	$(Q)rm -f $(BINDIR)/tailexit $(MANDIR)/tailexit.8 $(COMPLETIONDIR)/tailexit \
		$(UNITDIR)/tailexit.socket $(UNITDIR)/tailexit.service $(UNITDIR)/tailexit-guard.service
	$(Q)cd $(DESTDIR)$(PREFIX) && rmdir lib/systemd/system lib/systemd share/man/man8 \
		share/bash-completion/completions share/bash-completion 2> /dev/null || true

.PHONY: up
up: ## install what is missing, build, install, start; as root
	$(Q)PREFIX=$(PREFIX) MAKE="$(MAKE)" contrib/up.sh

.PHONY: down
down: ## take back what up did; as root (FORCE=1, KEEP_DOCKER=1: see the manual page)
	$(Q)FORCE=$(FORCE) KEEP_DOCKER=$(KEEP_DOCKER) MAKE="$(MAKE)" contrib/down.sh
