/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages of the admin port: a list of tables, filled by main before anything runs and only read after that, which is
 * why nothing is locked. Here is nothing that decides who may ask: that is the port's. */
#include "http/admin.h"

#include "base/arena.h"
#include "http/exchange.h"

enum { TABLES = 16 };

static struct {
	struct {
		const AdminPage *rows;
		size_t count;
	} tables[TABLES];
	size_t count;
	AdminSession *session;
} registered;

Str admin_role_name(AdminRole role)
{
	static const Str names[ADMIN_ROLES] = {
		[ADMIN_VIEW] = S("view"),
		[ADMIN_OPERATE] = S("operate"),
		[ADMIN_APPROVE] = S("approve"),
	};

	return names[role];
}

void admin_extend(const AdminPage *rows, size_t count)
{
	for (size_t i = 0; i < registered.count; i++)
		if (registered.tables[i].rows == rows)
			return;
	if (registered.count == TABLES)
		return; /* a test walks what main adds */
	registered.tables[registered.count].rows = rows;
	registered.tables[registered.count++].count = count;
}

static const AdminPage *page_at(size_t *table, size_t *row)
{
	while (*table < registered.count && *row == registered.tables[*table].count) {
		*row = 0;
		++*table;
	}
	return *table < registered.count ? &registered.tables[*table].rows[(*row)++] : NULL;
}

static bool path_fits(const AdminPage *page, Str path, Str *rest)
{
	Str front;

	*rest = (Str){ 0 };
	if (!str_ends(page->path, S("/**")))
		return str_eq(path, page->path);
	front = str_sub(page->path, 0, page->path.len - 2);
	if (!str_starts(path, front))
		return false;
	*rest = str_sub(path, front.len, path.len);
	return true;
}

static bool method_fits(const AdminPage *page, Str method)
{
	Str left = page->methods, one;

	while (str_split(&left, ' ', &one))
		if (str_eq(one, method))
			return true;
	return false;
}

const AdminPage *admin_find(Arena *a, Str path, Str method, Str *rest, Str *allow)
{
	Str wanted = str_eq(method, S("HEAD")) ? S("GET") : method;
	const AdminPage *page;
	size_t table = 0, row = 0;

	*allow = (Str){ 0 };
	while ((page = page_at(&table, &row))) {
		Str left = page->methods, one;

		if (!path_fits(page, path, rest))
			continue;
		if (method_fits(page, wanted))
			return page;
		while (str_split(&left, ' ', &one))
			*allow = str_fmt(a, "%.*s%s%.*s", STR_ARG(*allow), allow->len ? ", " : "",
			                 STR_ARG(one));
	}
	return NULL;
}

Str admin_paths(Arena *a)
{
	const AdminPage *page;
	size_t table = 0, row = 0;
	Str all = { 0 }, last = { 0 };

	while ((page = page_at(&table, &row))) {
		if (!str_eq(page->path, last))
			all = str_fmt(a, "%.*s%s%.*s", STR_ARG(all), all.len ? ", " : "",
			              STR_ARG(page->path));
		last = page->path;
	}
	return all;
}

void admin_sessions(AdminSession *session)
{
	registered.session = session;
}

AdminSession *admin_session(void)
{
	return registered.session;
}

const AdminWho *admin_who(const Exchange *x)
{
	static const AdminWho nobody = { 0 };

	return x->user ? x->user : &nobody;
}

Err *admin_need(Exchange *x, AdminRole role)
{
	const AdminWho *who = admin_who(x);

	if (who->role >= role)
		return NULL;
	return err_new(x->arena, ERR_DENIED, "admin.role",
	               "this takes the role %.*s, and %.*s has %.*s",
	               STR_ARG(admin_role_name(role)), who->name.len ? (int)who->name.len : 6,
	               who->name.len ? who->name.at : "nobody",
	               STR_ARG(admin_role_name(who->role)));
}
