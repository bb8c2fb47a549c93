/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes to headers, as routes have them for requests and for answers. Their rows are in conf_fields.c. */
#pragma once
#include "base/conf.h"

/* A header to be set or added; its value is a template (template.h). */
typedef struct FieldConf {
	Str name;
	Str value;
	bool outside; /* from the environment or a file: never shown */
} FieldConf;

typedef struct FieldsConf {
	CONF_LIST_OF(FieldConf) set; /* instead of all of that name */
	CONF_LIST_OF(FieldConf) add; /* beside them */
	CONF_LIST_OF(Str) remove;
} FieldsConf;
