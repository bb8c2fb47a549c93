/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses as a configuration writes them. Pure: no look-up, no socket. */
#pragma once
#include "base/str.h"

/* Host and port, or a Unix socket's path. Views into the text. */
typedef struct AddressConf {
	Str text; /* as written */
	Str host; /* no brackets; empty: all addresses */
	uint16_t port;
	Str unix_path; /* empty: none */
} AddressConf;

/* "host:port", "[::1]:80", ":80", "unix:/path"; the host is a name or an address. False: not one of them. */
bool address_split(Str text, AddressConf *out);
/* The same with an address as its host, or none: what can be listened on. */
bool address_is_local_form(const AddressConf *address);
bool address_is_loopback(const AddressConf *address); /* 127.0.0.0/8, ::1, a Unix socket */
bool address_same(const AddressConf *x,
                  const AddressConf *y); /* port 0 is never the same as another */
