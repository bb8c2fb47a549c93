/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that are used without being named: tables. Pure. */
#pragma once
#include "audit/links_int.h"

bool root_by_name(const LinkDef *def, Str module); /* of a module of that dotted name */
bool root_by_decorator(const LinkDef *def);        /* one of its decorators may keep it */
bool root_test(const LinkDef *def); /* what pytest and unittest collect, in a file of tests */
bool root_application(
	const LinkDef
		*def); /* at the top of a module: what a server that is told the module looks for */
bool root_module(Str path);   /* a module that is started or looked for by its name */
bool base_is_plain(Str base); /* a class outside that leaves its heirs' methods alone */
