/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of other tools that an audit reads. */
#pragma once
#include "base/conf.h"

/* `audit.outside` of banyan.yaml, and options of the command line. Paths of files or folders; empty lists: what is usual is looked for under the root
 * (coverage.xml, lcov.info, junit.xml, lock files), with a word about it. */
typedef struct OutsideConf {
	CONF_LIST_OF(Str) coverage; /* Cobertura XML, lcov */
	CONF_LIST_OF(Str) tests;    /* JUnit XML */
	CONF_LIST_OF(Str) builds;   /* logs of CI */
	CONF_LIST_OF(Str)
	locks; /* requirements.txt, poetry.lock, Pipfile.lock, uv.lock, pdm.lock, pyproject.toml, setup.cfg */
	CONF_LIST_OF(Str) osv; /* OSV JSON: a file of one or many, or a folder of them */
	Str python; /* "3.8": the version that runs; empty: from .python-version, runtime.txt, the lock file, pyproject */
	Str today;  /* 2026-01-31: what ends of life are held against; empty: the clock */
} OutsideConf;
const ConfTable *outside_table(void) RETURNS_NONNULL;
