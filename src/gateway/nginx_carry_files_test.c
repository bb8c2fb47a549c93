/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nginx_carry_parts.h"

static size_t steps; /* directives that were looked at */

static NginxNode *counted_own(const Scope *scope, const char *name)
{
	NginxNode *found = scope_own(scope, name);

	for (const NginxNode *node = scope->first; node && node != found; node = node->next)
		steps++;
	return found;
}

#define scope_own counted_own
#include "gateway/nginx_carry_files.c"
#include "unit.h"

/* What a site of so many locations costs here. */
static size_t steps_of(size_t locations)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf text = { 0 };
	CarryOptions options = { .source = S("nginx.conf"), .prefix = S("/usr/share/nginx") };
	NginxNode *first;
	Carried *carried;

	buf_put(&b, S("server { listen 80; root /srv; location /inner/ { internal; }\n"));
	for (size_t i = 0; i < locations; i++)
		buf_fmt(&b, "location /l%zu/ { proxy_pass http://h:1; }\n", i);
	buf_put(&b, S("}\n"));
	steps = 0;
	CHECK_OK(nginx_read_text(a, S("nginx.conf"), buf_str(&b), &first));
	CHECK_OK(nginx_carry(a, first, &options, &carried));
	nginx_carry_put(&text, carried);
	CHECK(str_find(buf_str(&text), S("prefix: /inner/")) >= 0);
	return steps;
}

TEST(looking_for_inner_locations_takes_no_cube_of_steps)
{
	size_t few = steps_of(100), many = steps_of(200);

	(void)a;
	NOTE("%zu for 100 locations, %zu for 200", few, many);
	CHECK(many < few * 5);
}
