/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole routes: what a path says together with everything that includes it, and the function or class at its end. Django's are followed from
 * the settings' ROOT_URLCONF, and then from every module of urls that nobody included, by a stack of places that are still to be read; blueprints
 * and routers by what they are registered with. Includes may go in circles: depth and number are bounded. */
#include "audit/models_join.h"

#include "base/arena.h"

enum {
	DEPTH_MOST = 16,
	ROUTES_MOST = 200000,
	PUSHES_MOST = 50000,
	MOUNTS_MOST = 8,
	WORK_MOST = 20000000
};

/* Where to read on: a list of a file's, or what stands within one of its rows. */
typedef struct Ahead {
	uint32_t file, within, depth;
	Str list, prefix, space;
	const struct Ahead *up; /* what includes it */
} Ahead;

typedef struct Routing {
	Join *j;
	Ahead *ahead;
	uint32_t ahead_count, pushed;
	bool *seen;     /* by file: its routes were reached */
	PairMap mounts; /* file and line of a variable: row of mount_rows, and which */
	struct {
		uint32_t file, row;
	} * mount_rows;
	uint32_t mount_count;
	uint64_t work;
} Routing;

/* --- rows -------------------------------------------------------------------------------------------------------------------------- */

static ModelPlace target_place(const Join *j, uint32_t file, const RouteFact *fact)
{
	ModelPlace place = { MODEL_NONE, 0, UNIT_NONE };
	Found found = names_find(j->names, file, fact->target);

	if (str_starts(fact->target, S("self.")))
		found = (Found){ .file = file,
			         .unit = join_method(j, file, fact->unit,
			                             str_sub(fact->target, 5, fact->target.len)) };
	else if (found.file == MODEL_NONE && !found.outside.len)
		found = names_path(j->names, file, fact->target);
	if (found.file == MODEL_NONE || found.unit == UNIT_NONE)
		return place;
	return (ModelPlace){ found.file,
		             j->project->files[found.file].measures.units[found.unit].line,
		             found.unit };
}

static AppRoute *add_route(Routing *r, AppFramework framework, uint32_t file, const RouteFact *fact)
{
	Join *j = r->j;
	Models *m = j->m;
	AppRoute *route;

	if (m->route_count >= ROUTES_MOST)
		return NULL;
	route = TAKE_ADD(j->a, m->routes, m->route_count);
	*route = (AppRoute){ .framework = framework,
		             .methods = fact->methods,
		             .path = fact->path,
		             .name = fact->name,
		             .view = fact->view,
		             .place = { file, fact->line, fact->unit } };
	route->target = target_place(j, file, fact);
	route->package =
		route->target.file == MODEL_NONE ? MODEL_NONE : m->package_of[route->target.file];
	m->unknown_routes += fact->computed;
	return route;
}

static Str whole_path(Arena *a, Str prefix, Str path)
{
	bool slash =
		prefix.len && prefix.at[prefix.len - 1] == '/' && path.len && path.at[0] == '/';

	if (path.len && path.at[0] == '^' && prefix.len > 1)
		path = str_sub(path, 1, path.len);
	return str_fmt(a, "%.*s%.*s", STR_ARG(prefix),
	               STR_ARG(slash ? str_sub(path, 1, path.len) : path));
}

static Str spaced(Arena *a, Str space, Str name)
{
	return space.len && name.len ? str_fmt(a, "%.*s:%.*s", STR_ARG(space), STR_ARG(name))
	                             : name;
}

/* --- Django -------------------------------------------------------------------------------------------------------------------------- */

/* Once more what stands above already is a circle. */
static bool is_circle(const Ahead *ahead)
{
	for (const Ahead *up = ahead->up; up; up = up->up)
		if (up->file == ahead->file && up->within == ahead->within &&
		    str_eq(up->list, ahead->list))
			return true;
	return false;
}

static void push(Routing *r, Ahead ahead, const Ahead *up)
{
	ahead.up = up;
	ahead.depth = up ? up->depth + 1 : 0;
	if (ahead.depth >= DEPTH_MOST || r->pushed >= PUSHES_MOST || is_circle(&ahead)) {
		r->j->m->unknown_routes++;
		return;
	}
	r->pushed++;
	*TAKE_ADD(r->j->a, r->ahead, r->ahead_count) = ahead;
}

/* A router's registrations: the list, one of it, and what @action adds. */
static void registered(Routing *r, uint32_t file, const RouteFact *fact, Str prefix)
{
	Join *j = r->j;
	Str path = whole_path(j->a, prefix, str_fmt(j->a, "%.*s/", STR_ARG(fact->path)));
	AppRoute *list = add_route(r, APP_DRF, file, fact), *one;
	const FileModels *f;
	ModelPlace target;

	if (!list)
		return;
	list->path = path;
	target = list->target;
	one = add_route(r, APP_DRF, file, fact);
	if (one)
		one->path = str_fmt(j->a, "%.*s<pk>/", STR_ARG(path));
	if (target.file == MODEL_NONE || !(f = names_facts(j->project, target.file)))
		return;
	for (uint32_t i = 0; i < f->route_count; i++) {
		const RouteFact *action = &f->routes[i];
		AppRoute *more;

		if (action->kind != ROUTE_ACTION ||
		    !str_eq(action->on,
		            j->project->files[target.file].measures.units[target.unit].name))
			continue;
		more = add_route(r, APP_DRF, target.file, action);
		if (!more)
			return;
		more->path = str_fmt(j->a, "%.*s%s%.*s/", STR_ARG(path),
		                     action->detail ? "<pk>/" : "", STR_ARG(action->path));
		more->target = (ModelPlace){ target.file, action->line, action->unit };
		more->package = j->m->package_of[target.file];
	}
}

/* include(router.urls) */
static bool include_router(Routing *r, uint32_t file, Str target, Str prefix)
{
	Join *j = r->j;
	Found found = names_find(j->names, file, str_sub(target, 0, target.len - 5));
	const FileModels *f;

	if (found.file == MODEL_NONE || !found.var || !str_ends(found.var->callee, S("outer")))
		return false;
	f = names_facts(j->project, found.file);
	r->seen[found.file] = true;
	for (uint32_t i = 0; i < f->route_count; i++)
		if (f->routes[i].kind == ROUTE_REGISTER && str_eq(f->routes[i].on, found.var->name))
			registered(r, found.file, &f->routes[i], prefix);
	return true;
}

static bool has_list(Routing *r, const FileModels *f, Str list)
{
	r->work += f ? f->route_count : 0;
	for (uint32_t i = 0; f && i < f->route_count; i++)
		if (str_eq(f->routes[i].list, list))
			return true;
	return false;
}

static void include(Routing *r, const Ahead *at, const RouteFact *fact, uint32_t row)
{
	Join *j = r->j;
	Str prefix = whole_path(j->a, at->prefix, fact->path), space = fact->name, own;
	Found found;
	AppRoute *route;

	if (at->space.len)
		space = space.len ? spaced(j->a, at->space, space) : at->space;
	if (str_eq(fact->target, S("[]"))) {
		push(r,
		     (Ahead){ .file = at->file,
		              .within = row + 1,
		              .list = fact->list,
		              .prefix = prefix,
		              .space = space },
		     at);
		return;
	}
	if (str_ends(fact->target, S(".urls")) && include_router(r, at->file, fact->target, prefix))
		return;
	if (has_list(r, names_facts(j->project, at->file), fact->target)) {
		push(r,
		     (Ahead){ .file = at->file,
		              .list = fact->target,
		              .prefix = prefix,
		              .space = space },
		     at);
		return;
	}
	found = names_find(j->names, at->file, fact->target);
	if (found.file == MODEL_NONE && !found.outside.len)
		found = names_path(j->names, at->file, fact->target);
	if (found.file != MODEL_NONE && found.unit == UNIT_NONE) {
		Str list = found.rest.len ? found.rest : S("urlpatterns");

		own = names_facts(j->project, found.file)
		              ? names_facts(j->project, found.file)->app_name
		              : S("");
		if (own.len && !fact->name.len)
			space = at->space.len ? spaced(j->a, at->space, own) : own;
		push(r,
		     (Ahead){ .file = found.file, .list = list, .prefix = prefix, .space = space },
		     at);
		return;
	}
	route = add_route(r, APP_DJANGO, at->file, fact); /* somebody else's: admin.site.urls */
	if (route)
		route->path = prefix;
}

static void read_list(Routing *r, const Ahead *at)
{
	Join *j = r->j;
	const FileModels *f = names_facts(j->project, at->file);

	r->seen[at->file] = true;
	for (uint32_t i = 0; f && i < f->route_count && r->work++ < WORK_MOST; i++) {
		const RouteFact *fact = &f->routes[i];
		AppRoute *route;

		if (fact->within != at->within || !str_eq(fact->list, at->list))
			continue;
		if (fact->kind == ROUTE_INCLUDE) {
			include(r, at, fact, i);
		} else if (fact->kind == ROUTE_PATH) {
			route = add_route(r, APP_DJANGO, at->file, fact);
			if (!route)
				return;
			route->path = whole_path(j->a, at->prefix, fact->path);
			route->name = spaced(j->a, at->space, fact->name);
		}
	}
}

static void follow(Routing *r, uint32_t file)
{
	const FileModels *f = names_facts(r->j->project, file);

	push(r,
	     (Ahead){ .file = file,
	              .list = S("urlpatterns"),
	              .prefix = S("/"),
	              .space = f ? f->app_name : S("") },
	     NULL);
	while (r->ahead_count) {
		Ahead *at = ARENA_NEW(r->j->a, Ahead);

		*at = r->ahead[--r->ahead_count];
		read_list(r, at);
	}
}

static void from_settings(Routing *r)
{
	Join *j = r->j;

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->name_count; k++) {
			uint32_t file;

			if (f->names[k].kind != NAME_DEFINED ||
			    !str_eq(f->names[k].name, S("ROOT_URLCONF")))
				continue;
			file = names_module(j->names, i, f->names[k].value);
			if (file != MODEL_NONE && !r->seen[file])
				follow(r, file);
		}
	}
}

/* Modules of urls that nobody includes, those that include others first. */
static void from_others(Routing *r)
{
	for (int includes = 1; includes >= 0; includes--)
		for (uint32_t i = 0; i < r->j->project->count; i++) {
			const FileModels *f = names_facts(r->j->project, i);
			bool any = false, other = false;

			for (uint32_t k = 0; f && k < f->route_count; k++) {
				any |= f->routes[k].kind == ROUTE_PATH;
				other |= f->routes[k].kind == ROUTE_INCLUDE;
			}
			if (!r->seen[i] && (includes ? other : any) && f)
				follow(r, i);
		}
}

/* --- blueprints and routers ---------------------------------------------------------------------------------------------------------- */

static void find_mounts(Routing *r)
{
	Join *j = r->j;

	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->route_count; k++) {
			Found found;

			if (f->routes[k].kind != ROUTE_MOUNT)
				continue;
			found = names_find(j->names, i, f->routes[k].target);
			if (found.file == MODEL_NONE || !found.var ||
			    pair_get(&r->mounts, found.file, found.var->line) != MODEL_NONE)
				continue;
			pair_put(j->a, &r->mounts, found.file, found.var->line, r->mount_count);
			*TAKE_ADD(j->a, r->mount_rows, r->mount_count) =
				(__typeof__(*r->mount_rows)){ i, k };
		}
	}
}

static Str mounted(Routing *r, uint32_t file, const VarFact *var)
{
	Join *j = r->j;
	Str prefix = var->prefix;

	for (uint32_t hops = 0; hops < MOUNTS_MOST; hops++) {
		uint32_t mount = pair_get(&r->mounts, file, var->line);
		const RouteFact *fact;
		Found on;

		if (mount == MODEL_NONE || !r->mount_rows)
			return prefix;
		fact = &names_facts(j->project, r->mount_rows[mount].file)
		                ->routes[r->mount_rows[mount].row];
		if (str_eq(name_last(var->callee), S("Blueprint")) && fact->path.len)
			prefix = hops ? whole_path(j->a, fact->path, prefix)
			              : fact->path; /* Flask: instead of its own */
		else
			prefix = whole_path(j->a, fact->path, prefix);
		on = names_find(j->names, r->mount_rows[mount].file, fact->on);
		if (on.file == MODEL_NONE || !on.var || on.var == var)
			return prefix;
		file = on.file;
		var = on.var;
		if (var->prefix.len)
			prefix = whole_path(j->a, var->prefix, prefix);
	}
	return prefix;
}

static bool framework_named(Str name, AppFramework *out)
{
	static const struct {
		const char *name;
		AppFramework framework;
	} names[] = { { "Flask", APP_FLASK },
		      { "Blueprint", APP_FLASK },
		      { "APIBlueprint", APP_FLASK },
		      { "Quart", APP_FLASK },
		      { "FastAPI", APP_FASTAPI },
		      { "APIRouter", APP_FASTAPI },
		      { "RouteTableDef", APP_AIOHTTP },
		      { "Application", APP_AIOHTTP },
		      { "Api", APP_FLASK } };

	for (size_t i = 0; i < COUNT(names); i++)
		if (str_eq(name, str_of(names[i].name))) {
			*out = names[i].framework;
			return true;
		}
	return false;
}

/* By what the file imports, when the application itself is made in a function. */
static bool framework_imported(const FileModels *f, AppFramework *out)
{
	static const struct {
		Str package;
		AppFramework framework;
	} packages[] = { { { "flask", 5 }, APP_FLASK },
		         { { "fastapi", 7 }, APP_FASTAPI },
		         { { "aiohttp", 7 }, APP_AIOHTTP } };

	for (uint32_t i = 0; i < f->import_count; i++)
		for (size_t k = 0; k < COUNT(packages); k++)
			if (!f->imports[i].level &&
			    str_eq(name_first(f->imports[i].target), packages[k].package)) {
				*out = packages[k].framework;
				return true;
			}
	return false;
}

static void other_route(Routing *r, uint32_t file, const FileModels *f, const RouteFact *fact)
{
	Join *j = r->j;
	Found on = names_find(j->names, file, fact->on);
	AppFramework framework = APP_AIOHTTP;
	bool known = on.var && framework_named(name_last(on.var->callee), &framework);
	AppRoute *route;

	if (fact->kind != ROUTE_AIOHTTP && !known && !framework_imported(f, &framework))
		return;
	route = add_route(r, fact->kind == ROUTE_AIOHTTP ? APP_AIOHTTP : framework, file, fact);
	if (!route)
		return;
	if (fact->kind == ROUTE_DECORATED) {
		route->target = (ModelPlace){ file, fact->line, fact->unit };
		route->package = j->m->package_of[file];
	}
	if (known && on.file != MODEL_NONE)
		route->path = whole_path(j->a, mounted(r, on.file, on.var), fact->path);
	if (!route->methods.len && route->framework == APP_FLASK && fact->kind != ROUTE_RESOURCE)
		route->methods = S("GET");
}

void join_routes(Join *j)
{
	Routing r = { .j = j };

	r.seen = ARENA_ARRAY(j->a, bool, j->project->count + 1);
	from_settings(&r);
	from_others(&r);
	find_mounts(&r);
	for (uint32_t i = 0; i < j->project->count; i++) {
		const FileModels *f = names_facts(j->project, i);

		for (uint32_t k = 0; f && k < f->route_count; k++)
			if (f->routes[k].kind == ROUTE_DECORATED ||
			    f->routes[k].kind == ROUTE_ADDED ||
			    f->routes[k].kind == ROUTE_RESOURCE ||
			    f->routes[k].kind == ROUTE_AIOHTTP)
				other_route(&r, i, f, &f->routes[k]);
	}
}
