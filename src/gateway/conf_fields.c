/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to headers, row by row. */
#include "gateway/conf_int.h"

static const ConfKey field_keys[] = {
	{ "name", CONF_NAME, AT(FieldConf, name), .verify = verify_field_name,
	  .help = "of the header" },
	{ "value", CONF_STR, AT(FieldConf, value), OUTSIDE(FieldConf, outside), .required = true,
	  .verify = verify_template, .value = "TEMPLATE", .help = "its value" },
};
static const ConfTable field_table = { "header", CONF_ROWS(FieldConf, field_keys),
	                               .shorthand = "value", .help = "one header" };

static const ConfKey fields_keys[] = {
	{ "set", CONF_OBJECT, AT_MAP(FieldsConf, set), .table = &field_table,
	  .help = "headers, by name: instead of all that are there of that name" },
	{ "add", CONF_OBJECT, AT_MAP(FieldsConf, add), .table = &field_table,
	  .help = "headers, by name: beside those that are there" },
	{ "remove", CONF_STR, AT_LIST(FieldsConf, remove), .verify = verify_field_name,
	  .value = "NAME", .help = "names of headers that are taken out" },
};
const ConfTable fields_conf_table = {
	"headers", CONF_ROWS(FieldsConf, fields_keys),
	.help = "changes to headers; values may hold {host}, {path}, {query}, {scheme}, {client_ip}, {request_id}, {claim:NAME} and the parts of the route's path"
};
