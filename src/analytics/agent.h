/* SPDX-License-Identifier: Apache-2.0
 *
 * Agent: what a browser's User-Agent and the address of a page say, coarsely. Pure. */
#pragma once
#include "base/str.h"

typedef struct Agent {
	Str browser, os, device; /* "Firefox", "Windows", "Desktop"; empty: not known */
	bool bot;
} Agent;
Agent agent_read(Str user_agent);

typedef struct PageUrl {
	Str host; /* without a port, as it came */
	Str path; /* "/" at least; for "app://x" too */
	Str query;
} PageUrl;
/* False: it is no address of a page. */
bool page_url_read(Str url, PageUrl *out);
Str page_site(Arena *a, Str host); /* lower case, without "www." */
