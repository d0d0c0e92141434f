/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies as dockerd reads them. Each function writes one whole JSON value. */
#pragma once

#include "../policy/base/strbuf.h"
#include "../policy/policy.h"

void encode_empty(struct strbuf *reply);
/* The text may hold anything a user wrote; what is not UTF-8 in it is replaced. */
void encode_error(struct strbuf *reply, const char *text);
void encode_activate(struct strbuf *reply);
void encode_capabilities(struct strbuf *reply);
void encode_gateway_check(struct strbuf *reply, bool skip_v4, bool skip_v6);
/* mac NULL: the reply must not repeat what dockerd chose itself. */
void encode_endpoint(struct strbuf *reply, const uint8_t mac[6]);
void encode_endpoint_info(struct strbuf *reply);
void encode_join(struct strbuf *reply, const struct attachment *attachment);

/* For people's tools: the published ports of every endpoint, one object per port. */
void encode_ports(struct strbuf *reply, const struct policy *policy);
