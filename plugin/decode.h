/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dockerd sends, as one typed struct per kind of request. Every field that is used has been
 * checked; unknown ones are ignored. What a struct owns is released by its ..._done(). */
#pragma once

#include "../policy/policy.h"

/* Driver options: the user's words, untouched. */
struct request_option {
	char *key;
	char *value;
};
struct request_options {
	struct request_option *items;
	size_t n;
};
void request_options_done(struct request_options *options);

struct port_requests {
	bool given; /* false: dockerd said nothing about ports, which is not "no ports" */
	struct port_request *items;
	size_t n;
};

/* CreateNetwork; of GwAllocCheck only `internal` and the options. */
struct network_request {
	struct network network; /* the options are not in here yet */
	struct request_options options;
};
int decode_network(const char *body, size_t len, struct network_request *ret_request,
		   struct err *err);
int decode_gateway_check(const char *body, size_t len, struct network_request *ret_request,
			 struct err *err);
void network_request_done(struct network_request *request);

struct network_id {
	char text[ID_SIZE];
};
/* DeleteNetwork, AllocateNetwork, FreeNetwork. */
int decode_network_id(const char *body, size_t len, struct network_id *ret_id, struct err *err);

struct endpoint_request {
	struct endpoint endpoint;
	bool mac_given;
	bool own_resolvers; /* the user chose them: asked from inside the container */
	struct port_requests ports;
	struct request_options options; /* without Docker's own; keys in lower case */
};
int decode_endpoint(const char *body, size_t len, struct endpoint_request *ret_request,
		    struct err *err);
void endpoint_request_done(struct endpoint_request *request);

/* DeleteEndpoint, EndpointOperInfo, Join, Leave, ProgramExternalConnectivity,
 * RevokeExternalConnectivity; what the method does not have is empty. */
struct attach_request {
	char network[ID_SIZE];
	char endpoint[ID_SIZE];
	char sandbox_key[256]; /* path of the container's namespace; need not exist yet */
	struct port_requests ports;
};
int decode_attach(const char *body, size_t len, struct attach_request *ret_request,
		  struct err *err);
void attach_request_done(struct attach_request *request);
