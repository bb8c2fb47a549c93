/* SPDX-License-Identifier: Apache-2.0
 *
 * `audit.imports` of banyan.yaml: rules about who may import whom, and what counts as used. */
#pragma once
#include "base/conf.h"

typedef enum ContractKind {
	CONTRACT_LAYERS,
	CONTRACT_FORBIDDEN,
	CONTRACT_INDEPENDENCE
} ContractKind;
/* `audit.imports.contracts.NAME`, and what import-linter calls so. */
typedef struct LinkContract {
	Str name;
	uint8_t kind; /* ContractKind */
	CONF_LIST_OF(Str)
	layers; /* from the highest; "a | b": side by side and independent, "a : b": side by side; "(a)": may be missing */
	CONF_LIST_OF(Str) containers; /* packages that have those layers each */
	CONF_LIST_OF(Str) modules;    /* of independence; of forbidden: those that may not */
	CONF_LIST_OF(Str) forbidden;  /* what they may not import; names outside the project too */
	CONF_LIST_OF(Str) ignore;     /* "a.b -> c.*" */
	bool direct;                  /* chains of imports over others are fine */
	bool typing;                  /* imports for types count too */
	Str from;                     /* the file that it stands in; empty: the configuration */
} LinkContract;

typedef struct LinksConf {
	CONF_LIST_OF(Str) source_roots; /* folders that top packages lie in; none: found */
	CONF_LIST_OF(LinkContract) contracts;
	CONF_LIST_OF(Str) keep; /* names that count as used: "on_*" */
	uint32_t confidence;    /* the lowest of dead code that is a finding, percent */
	bool linter;            /* read import-linter's own files too */
} LinksConf;
const ConfTable *links_table(void) RETURNS_NONNULL; /* of LinksConf: `audit.imports` */
