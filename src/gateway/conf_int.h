/* SPDX-License-Identifier: Apache-2.0
 *
 * Between conf.c (the rows), conf_verify.c (single values) and conf_check.c (what rows alone cannot say). */
#pragma once
#include "gateway/conf.h"

/* For a whole GatewayConf: derives fields (addresses, upstreams of routes, masks) and adds every mistake it finds. */
ConfCheck gateway_conf_check;

/* What one route does, and whether its words go together: conf_action.c. `action` is known already. */
void gateway_conf_check_action(Conf *conf, const GatewayConf *g, const RouteConf *r);

/* conf_services.c: an upstream for each `service:NAME` of the routes; before they are checked. */
void gateway_conf_add_services(Conf *conf, GatewayConf *g);
/* Listeners and routes are there, unless the file holds services alone. */
void gateway_conf_need_gateway(Conf *conf, const GatewayConf *g);

/* conf_fields.c: changes to headers, for tables in other files. */
extern const ConfTable fields_conf_table;
extern const ConfTable admin_openid_table;                                    /* conf_openid.c */
extern const ConfTable paths_conf_table, errors_conf_table, drain_conf_table; /* conf_parts.c */

/* Single values, conf_verify.c. */
ConfVerify verify_listen, verify_admin, verify_server, verify_host, verify_path, verify_method,
	verify_prefix, verify_health_path, verify_status, verify_hash_on, verify_network,
	verify_id_header, verify_name, verify_log, verify_ca_name, verify_condition_name,
	verify_expression, verify_field_name, verify_field_value, verify_template, verify_rewrite,
	verify_index_name, verify_takeover;

/* "header:NAME", "cookie:NAME" or "peer". */
bool hash_on_split(Str text, HashOn *kind, Str *name);
/* "200" or "200-399". */
bool status_range_split(Str text, uint16_t *min, uint16_t *max);
