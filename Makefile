# SPDX-License-Identifier: GPL-2.0-or-later
# tailexit: one binary, its tests, and the commands of the README. `make help` lists the targets.

VERSION := 0.1.0
PREFIX ?= /usr/local
OUT ?= build
PKGS := libmicrohttpd jansson libnftnl libmnl

CC ?= cc
PKG_CONFIG ?= pkg-config
# Sanitizers see more without much optimisation.
CFLAGS ?= $(if $(SAN),-O1,-O2) -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wswitch-enum -Wvla -Wwrite-strings -Wundef -Wno-missing-field-initializers
HARDENING := -fstack-protector-strong -fPIE -fstack-clash-protection
# The same bytes, wherever the sources are.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.
# _FORTIFY_SOURCE needs optimisation, and sanitizers see more without it.
ifeq ($(SAN),)
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
BUILD := $(OUT)
LDFLAGS_HARDENING := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
else
BUILD := $(OUT)/san
SANITIZE := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDFLAGS_HARDENING := -pie
endif
ifneq ($(WERROR),)
WARNINGS += -Werror
endif
# Asked for when it is first needed, and once.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PKGS)))$(PKG_CFLAGS)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARNINGS) $(HARDENING) \
	$(REPRODUCIBLE) $(SANITIZE) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_HARDENING) $(SANITIZE) $(LDFLAGS)
LIBS = $(shell $(PKG_CONFIG) --libs $(PKGS))

POLICY_SRC := $(sort $(wildcard policy/*.c policy/*/*.c))
PLUGIN_SRC := $(sort $(wildcard plugin/*.c))
POLICY_OBJ := $(POLICY_SRC:%.c=$(BUILD)/%.o)
PLUGIN_OBJ := $(PLUGIN_SRC:%.c=$(BUILD)/%.o)

ifeq ($(V),)
Q := @
say = @printf '  %-6s %s\n' $(1) $(2)
endif

include contrib/install.mk contrib/plugin.mk contrib/deb.mk

.PHONY: all
.DEFAULT_GOAL := all
all: $(BUILD)/tailexit ## build the binary and libpolicy.a

# The flags and the version are in there.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libpolicy.a: $(POLICY_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tailexit: $(PLUGIN_OBJ) $(BUILD)/libpolicy.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# ---- tests that need no root -------------------------------------------------------------------

UNIT := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
# These test plugin/ alone, on a stand-in for policy/.
STUBBED := driver server endpoint encode late_ports labels swarm
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
PLUGIN_LIB_OBJ := $(filter-out $(BUILD)/plugin/main.o,$(PLUGIN_OBJ))
UNIT_BIN := $(UNIT:%=$(BUILD)/tests/unit/test_%)
REPLAY_BIN := $(FUZZ:%=$(BUILD)/tests/fuzz/replay_%)
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka) -pthread
TEST_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/*/*.c))

$(BUILD)/libplugin.a: $(PLUGIN_LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# In front of the library, so that what the stand-in defines is not taken from there.
$(STUBBED:%=$(BUILD)/tests/unit/test_%) $(BUILD)/tests/fuzz/replay_request: \
	$(BUILD)/tests/unit/stub_policy.o

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/tests/unit/world.o \
		$(BUILD)/libplugin.a $(BUILD)/libpolicy.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(CMOCKA_LIBS) -o $@

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o \
		$(BUILD)/libplugin.a $(BUILD)/libpolicy.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LIBS) -o $@

.PHONY: check
check: $(BUILD)/tailexit $(UNIT_BIN) $(REPLAY_BIN) ## unit tests, golden files, fuzz corpus: no root, seconds
	$(Q)tests/check.sh $(BUILD)

# ---- tests that need root ------------------------------------------------------------------------

NETNS_BIN := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(wildcard tests/netns/test_*.c))

$(BUILD)/tests/netns/%: $(BUILD)/tests/netns/%.o $(BUILD)/tests/unit/world.o $(BUILD)/libpolicy.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) $(CMOCKA_LIBS) -o $@

.PHONY: check-netns
check-netns: $(NETNS_BIN) ## kernel code against real network namespaces: root, seconds
	$(Q)tests/check.sh $(BUILD) $(NETNS_BIN)

# Preloaded into the daemon by tests/e2e/test_crash*.py.
$(BUILD)/tests/faults/fault.so: tests/faults/fault.c tests/faults/fault.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -U_FORTIFY_SOURCE -fPIC -shared $(LDFLAGS) $< -o $@

.PHONY: faults
faults: $(BUILD)/tests/faults/fault.so ## what the tests of crashes need besides the binary

.PHONY: test
test: ## everything, installing what is missing: root, three quarters of an hour
	$(Q)tests/run.sh

ENGINE ?= bookworm
.PHONY: lab
lab: $(BUILD)/tailexit ## a Docker host with tailexit and a small internet, and a shell in it: root
	$(Q)cd tests && /usr/bin/python3 -m lab up $(ENGINE)

.PHONY: demo
demo: $(BUILD)/tailexit ## the one-minute story in the lab, told with what was seen on the wire: root
	$(Q)cd tests && /usr/bin/python3 -m lab.demo $(ENGINE)

LEAK ?= --long
.PHONY: leaktest
leaktest: $(BUILD)/tailexit ## everything that may go wrong, and what leaked: root, hours (LEAK= for minutes)
	$(Q)cd tests && /usr/bin/python3 -m leak $(LEAK)

# See tests/bench/floor.py.
$(BUILD)/tests/bench/floor: $(BUILD)/tests/bench/floor.o $(BUILD)/libpolicy.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

BENCH ?= --json $(CURDIR)/$(OUT)/bench.json --svg $(CURDIR)/$(OUT)/bench.svg
.PHONY: bench
bench: ## side by side with Docker's bridge driver: root, half an hour (BENCH="--quick": minutes)
	$(Q)contrib/packages.sh - $$(sed 's/#.*//' tests/packages.txt tests/lab/packages.txt)
	$(Q)$(MAKE) -s -j$$(nproc) $(OUT)/tailexit
	$(Q)cd tests && /usr/bin/python3 -m bench $(BENCH)

INSTRUCTIONS ?=
.PHONY: check-instructions
check-instructions: $(BUILD)/tailexit ## has a call of the driver grown by a tenth? root, valgrind (INSTRUCTIONS=--write: it may)
	$(Q)cd tests && /usr/bin/python3 -m bench.instructions $(INSTRUCTIONS)

.PHONY: golden
golden: $(BUILD)/tests/unit/test_golden $(BUILD)/tests/unit/test_product ## rewrite tests/golden: read the difference
	$(Q)for test in $^; do GOLDEN=write $$test; done

FUZZ_TIME ?= 600
.PHONY: fuzz
fuzz: ## libFuzzer, FUZZ_TIME seconds for each target (needs clang)
	tests/fuzz/run.sh $(FUZZ_TIME) $(FUZZ)

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

-include $(POLICY_OBJ:.o=.d) $(PLUGIN_OBJ:.o=.d) $(TEST_OBJ:.o=.d)
.SECONDARY: # keep the objects of tests
