/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See refusal.h. */
#include "refusal.h"

#include <errno.h>
#include <stdio.h>

#include "owner.h"
#include "port_socket.h"

/* As many characters of an id as people are used to see. */
#define SHORT_ID 12

struct place {
	char text[160]; /* "port 8080/tcp on 0.0.0.0" */
};

static const char *print_place(const struct port *port, struct place *place)
{
	struct addr_text text;

	snprintf(place->text, sizeof(place->text), "port %u/%s on %s", port->host_port,
		 port_proto_name(port->proto), addr_print(&port->host, &text));
	return place->text;
}

static int set_in_use(struct err *err, int code, const struct claim *claim)
{
	const struct publisher *ours = claim_overlap(claim, &claim->refused);
	struct place place;
	struct owner owner;

	print_place(&claim->refused, &place);
	if (ours)
		return err_set(err, code,
			       "%s is already in use by container endpoint %.*s of network %.*s; "
			       "publish another host port or stop that container",
			       place.text, SHORT_ID, ours->endpoint, SHORT_ID, ours->network);
	if (owner_find(&claim->refused, &owner))
		return err_set(err, code,
			       "%s is already in use by \"%s\" (pid %d); publish another host port "
			       "or stop it",
			       place.text, owner.name, (int)owner.pid);
	return err_set(err, code,
		       "%s is already in use by another program; publish another host port or stop "
		       "it",
		       place.text);
}

static int set_none_free(struct err *err, int code, const struct claim *claim)
{
	const struct port_request *request = claim->request;
	const char *proto = port_proto_name(request->proto);
	struct addr_text text;

	addr_print(&claim->refused.host, &text);
	if (request->host_port == 0)
		return err_set(
			err, code,
			"found no free host port for %u/%s on %s; name a host port, or widen "
			"net.ipv4.ip_local_port_range",
			request->port, proto, text.s);
	return err_set(err, code, "no host port of %u-%u/%s on %s is free; publish another range",
		       request->host_port, request->host_port_end, proto, text.s);
}

int refusal_set(struct err *err, int code, const struct claim *claim)
{
	bool fixed = claim->request->host_port != 0 &&
		     claim->request->host_port_end <= claim->request->host_port;
	struct addr_text text;
	struct place place;

	if (err->code == code)
		return code;
	print_place(&claim->refused, &place);
	switch (code) {
	case -EADDRINUSE:
		return fixed ? set_in_use(err, code, claim) : set_none_free(err, code, claim);
	case -EEXIST:
		return err_set(err, code,
			       "%s is published twice by the same container; leave one out",
			       place.text);
	case -EADDRNOTAVAIL:
	case -EAFNOSUPPORT:
		return err_set(err, code,
			       "%s cannot be published: %s is not an address of this host; give an "
			       "address it has, or none to publish on all of them",
			       place.text, addr_print(&claim->refused.host, &text));
	case -EACCES:
	case -EPERM:
		return err_set(err, code,
			       "%s cannot be published: not permitted; ports below "
			       "net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE",
			       place.text);
	case -EMFILE:
	case -ENFILE:
		return err_set(err, code,
			       "%s cannot be published: too many open files; raise the limit "
			       "(LimitNOFILE) or publish fewer ports",
			       place.text);
	default:
		return err_errno(err, code, "%s cannot be published", place.text);
	}
}
