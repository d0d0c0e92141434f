# SPDX-License-Identifier: GPL-2.0-or-later
# Included by the Makefile: the managed plugin, from the build to a registry.

PLUGIN = $(BUILD)/tailexit-plugin
PLUGIN_NAME ?= tailexit-plugin
# The names by which a registry knows this version.
PLUGIN_TAGS ?= $(VERSION) latest
# Everything that is packed is of this date, so that it has the same bytes whenever it is built.
export SOURCE_DATE_EPOCH ?= 1767225600

.PHONY: plugin
plugin: $(PLUGIN).tar.gz ## the managed plugin, for `docker plugin create NAME build/tailexit-plugin`
	@stat -c %s $< | awk '{ printf "$(PLUGIN): %.1f MB compressed\n", $$1 / 1e6 }'

$(PLUGIN).tar.gz: $(BUILD)/tailexit config.json contrib/plugin.sh
	$(call say,PLUGIN,$(PLUGIN))
	$(Q)CC="$(CC)" contrib/plugin.sh $< $(PLUGIN)

.PHONY: push
push: plugin ## push the managed plugin to REGISTRY (host[:port][/path]); needs a Docker engine
	$(Q)contrib/push.sh $(PLUGIN) "$(REGISTRY)" $(PLUGIN_NAME) $(PLUGIN_TAGS)
