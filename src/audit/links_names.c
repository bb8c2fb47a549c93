/* SPDX-License-Identifier: Apache-2.0
 *
 * The project's folders as Python would look through them. Nobody tells an auditor what sys.path will be, so it is read off the tree: the
 * folder above a topmost package is on it, as is the folder of a module that lies in no package. Where two such folders have something of the
 * same name, the file's own comes first, then the one that has more of its path in common with the file's. When the root of the audit is
 * itself within a package, what it is called is read off the folders above it.
 *
 * A folder without an __init__.py may be a package too (PEP 420): every folder of a root is looked into, but a module of Python's library wins. */
#include "audit/links_names.h"

#include "base/arena.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_MOST = 1024, CANDIDATES = 64, CLIMB_MOST = 12 };

typedef struct TopRoot {
	uint32_t root;
	uint32_t next; /* index of `found` + 1 */
} TopRoot;

static char there; /* what a set's map holds */

static Str folder_of(Str key)
{
	ptrdiff_t slash = str_rfind_char(key, '/');

	return slash < 0 ? S("") : str_sub(key, 0, (size_t)slash);
}

bool links_names_is_package(const LinkNames *names, uint32_t module)
{
	Str path = names->project->files[module].path;

	return str_eq(path, S("__init__.py")) || str_ends(path, S("/__init__.py"));
}

/* "a/b" of "a/b.py" and of "a/b/__init__.py". */
static Str key_of(Str path)
{
	if (str_eq(path, S("__init__.py")))
		return S("");
	if (str_ends(path, S("/__init__.py")))
		return str_sub(path, 0, path.len - (sizeof("/__init__.py") - 1));
	return str_ends(path, S(".py")) ? str_sub(path, 0, path.len - 3) : path;
}

/* An index as a map's value, which may not be NULL. */
static void *numbered(size_t index)
{
	return (void *)(uintptr_t)(index + 1);
}

static uint32_t number_of(const void *value)
{
	return (uint32_t)(uintptr_t)value; /* 0: there is none */
}

static uint32_t module_at(const LinkNames *names, Str key)
{
	return number_of(map_get(&names->paths, key)) - 1; /* LINK_NONE, when it wraps */
}

/* --- roots ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t add_root(LinkNames *names, Str path)
{
	uint32_t known = number_of(map_get(&names->roots, path));

	if (known)
		return known - 1;
	map_put(&names->roots, path, numbered(names->root_paths.count));
	*(Str *)vec_add(&names->root_paths, sizeof(Str)) = path;
	return names->root_paths.count - 1;
}

static Str root_path(const LinkNames *names, uint32_t root)
{
	return ((const Str *)names->root_paths.at)[root];
}

/* Up from a module's folder while it is a package. */
static Str climb(const LinkNames *names, Str folder)
{
	while (folder.len) {
		uint32_t module = module_at(names, folder);

		if (module == LINK_NONE || !links_names_is_package(names, module))
			break;
		folder = folder_of(folder);
	}
	return folder;
}

static uint32_t configured_root(const LinkNames *names, Str key, size_t count)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i <= count && i < names->root_paths.count; i++) {
		Str path = root_path(names, i);

		if (path.len > root_path(names, best).len && str_starts(key, path) &&
		    key.len > path.len && key.at[path.len] == '/')
			best = i;
	}
	return best;
}

static void add_top(LinkNames *names, PairTable *known, Str top, uint32_t root)
{
	uint32_t last = number_of(map_get(&names->tops, top));
	TopRoot *row;
	bool fresh;

	pair_at(known, link_hash(top), root, &fresh);
	if (!fresh)
		return;
	row = vec_add(&names->found, sizeof(*row));
	*row = (TopRoot){ root, last };
	map_put(&names->tops, top, numbered(names->found.count - 1));
}

/* For each root that a file lies below: what it would be called from there. */
static void add_tops(LinkNames *names, PairTable *known, Str key)
{
	for (size_t i = 0; i <= key.len; i++) {
		Str root = str_sub(key, 0, i), top;
		uint32_t number;
		Str rest;

		if (i && (i == key.len || key.at[i] != '/'))
			continue;
		number = number_of(map_get(&names->roots, root));
		rest = str_sub(key, i + (i > 0), key.len);
		if (!number || !rest.len)
			continue;
		str_split(&rest, '/', &top);
		add_top(names, known, top, number - 1);
	}
}

static void add_folders(LinkNames *names, Str key)
{
	for (Str folder = folder_of(key); folder.len; folder = folder_of(folder))
		if (map_put(&names->folders, folder, &there))
			break;
}

/* The dotted name of the audit's root, when it is a package on the disk. */
static Str prefix_of(Arena *a, Str root)
{
	char real[PATH_MAX];
	Str path, prefix = S("");

	if (!realpath(str_z(a, root), real))
		return prefix;
	path = str_of(real);
	for (size_t i = 0; i < CLIMB_MOST && path.len > 1; i++) {
		Str init = str_fmt(a, "%.*s/__init__.py", STR_ARG(path));
		ptrdiff_t slash = str_rfind_char(path, '/');
		Str name = str_sub(path, (size_t)slash + 1, path.len);

		if (access(init.at ? str_z(a, init) : "", F_OK) != 0)
			break;
		prefix = prefix.len ? str_fmt(a, "%.*s.%.*s", STR_ARG(name), STR_ARG(prefix))
		                    : str_dup(a, name);
		path = str_sub(path, 0, (size_t)slash);
	}
	return prefix;
}

static void names_fini(void *arg)
{
	LinkNames *names = arg;

	map_fini(&names->paths);
	map_fini(&names->folders);
	map_fini(&names->roots);
	map_fini(&names->tops);
	map_fini(&names->by_name);
	vec_fini(&names->root_paths);
	vec_fini(&names->found);
	pair_fini(&names->bound);
	pair_fini(&names->votes);
}

static void index_paths(Arena *a, LinkNames *names)
{
	const Project *p = names->project;
	Str *keys = ARENA_ARRAY(a, Str, p->count + 1);

	for (size_t i = 0; i < p->count; i++) {
		uint32_t other;

		keys[i] = key_of(p->files[i].path);
		other = module_at(names, keys[i]);
		if (other == LINK_NONE || !links_names_is_package(names, other)) {
			map_remove(&names->paths, keys[i]);
			map_put(&names->paths, keys[i], numbered(i));
		}
		add_folders(names, links_names_is_package(names, (uint32_t)i) ? p->files[i].path
		                                                              : keys[i]);
	}
	names->keys = keys;
}

LinkNames *links_names_new(Arena *a, const Project *project, Links *links, const Str *roots,
                           size_t root_count)
{
	LinkNames *names = ARENA_NEW(a, LinkNames);
	uint32_t *root_of = ARENA_ARRAY(a, uint32_t, project->count + 1);
	AUTO(pair_fini) PairTable known = { 0 };

	names->project = project;
	names->links = links;
	arena_defer(a, names_fini, names);
	index_paths(a, names);
	if (module_at(names, S("")) != LINK_NONE)
		names->prefix = prefix_of(a, project->sources.root);
	add_root(names, S(""));
	for (size_t i = 0; i < root_count; i++)
		add_root(names, str_ends(roots[i], S("/")) ? str_sub(roots[i], 0, roots[i].len - 1)
		                                           : roots[i]);
	for (size_t i = 0; i < project->count; i++) {
		Str key = names->keys[i];

		root_of[i] = root_count ? configured_root(names, key, root_count)
		                        : add_root(names, climb(names, folder_of(key)));
	}
	for (size_t i = 0; i < project->count; i++)
		add_tops(names, &known, names->keys[i]);
	names->root_of = root_of;
	return names;
}

/* --- looking up ------------------------------------------------------------------------------------------------------------------------ */

typedef struct Key {
	char at[KEY_MOST];
	size_t len;
} Key;

/* Adds "a/b" for "a.b"; false: too long to be there. */
static bool key_add(Key *key, Str dotted)
{
	if (key->len + dotted.len + 2 > sizeof(key->at))
		return false;
	if (key->len && dotted.len)
		key->at[key->len++] = '/';
	for (size_t i = 0; i < dotted.len; i++)
		key->at[key->len++] = dotted.at[i] == '.' ? '/' : dotted.at[i];
	return true;
}

static Str key_str(const Key *key)
{
	return (Str){ key->at, key->len };
}

/* The longest beginning of a dotted name that is a module below a folder; its length. *folder: as far as folders go, at least. */
static size_t longest(const LinkNames *names, Str base, Str dotted, uint32_t *module,
                      size_t *folder)
{
	Key key = { .len = 0 };
	size_t len = dotted.len;

	*module = LINK_NONE;
	*folder = 0;
	if (!key_add(&key, base) || !key_add(&key, dotted))
		return 0;
	for (;;) {
		uint32_t at = module_at(names, key_str(&key));
		ptrdiff_t dot;

		if (at != LINK_NONE && len) {
			*module = at;
			return len;
		}
		if (!*folder && len && map_get(&names->folders, key_str(&key)))
			*folder = len;
		dot = str_rfind_char(str_sub(dotted, 0, len), '.');
		if (dot < 0)
			return 0;
		key.len -= len - (size_t)dot;
		len = (size_t)dot;
	}
}

static size_t common(Str x, Str y)
{
	size_t i = 0;

	while (i < x.len && i < y.len && x.at[i] == y.at[i])
		i++;
	return i;
}

typedef struct Best {
	uint32_t module, root;
	size_t len, near;
	bool own;
} Best;

static void try_root(const LinkNames *names, uint32_t from, uint32_t root, Str dotted, Best *best)
{
	Best got = { .root = root, .own = names->root_of[from] == root };
	size_t folder = 0;

	if (names->prefix.len && !root_path(names, root).len)
		return; /* a package's own folder is on nobody's path */
	got.len = longest(names, root_path(names, root), dotted, &got.module, &folder);
	got.len = MAX(got.len, folder);
	got.near = common(root_path(names, root), names->keys[from]);
	if (!got.len || (folder == got.len && got.module == LINK_NONE && best->len > folder))
		return;
	if (got.len > best->len ||
	    (got.len == best->len &&
	     (got.own > best->own || (got.own == best->own && got.near > best->near))))
		*best = got;
}

static uint32_t in_prefix(const LinkNames *names, Str dotted, Str *rest, bool *ours)
{
	Str prefix = names->prefix;
	uint32_t module = LINK_NONE;
	size_t folder, len;

	*ours = prefix.len && str_starts(dotted, prefix) &&
	        (dotted.len == prefix.len || dotted.at[prefix.len] == '.');
	if (!*ours)
		return LINK_NONE;
	dotted = str_sub(dotted, prefix.len + (dotted.len > prefix.len), dotted.len);
	len = longest(names, S(""), dotted, &module, &folder);
	if (module == LINK_NONE)
		module = module_at(names, S(""));
	*rest = str_sub(dotted, len + (len > 0), dotted.len);
	return module;
}

static uint32_t by_roots(const LinkNames *names, uint32_t from, Str dotted, Str *rest,
                         uint32_t *root, bool *ours)
{
	Best best = { .module = LINK_NONE };
	Str top = dotted, tail = dotted;
	uint32_t at;

	*ours = false;
	str_split(&tail, '.', &top);
	at = number_of(map_get(&names->tops, top));
	if (at)
		try_root(names, from, names->root_of[from], dotted, &best);
	for (size_t tries = 0; at && tries < CANDIDATES; tries++) {
		const TopRoot *row = (const TopRoot *)names->found.at + at - 1;

		try_root(names, from, row->root, dotted, &best);
		at = row->next;
	}
	if ((best.module == LINK_NONE || best.len < dotted.len) && links_names_is_standard(top))
		return LINK_NONE;
	*ours = best.len > 0;
	*root = best.root;
	*rest = str_sub(dotted, best.len + (best.len > 0), dotted.len);
	return best.module;
}

static uint32_t absolute(const LinkNames *names, uint32_t from, Str dotted, Str *rest,
                         uint32_t *root, bool *ours)
{
	uint32_t module = in_prefix(names, dotted, rest, ours);

	*root = 0;
	return *ours ? module : by_roots(names, from, dotted, rest, root, ours);
}

uint32_t links_names_absolute(const LinkNames *names, uint32_t from, Str dotted, Str *rest)
{
	uint32_t root;
	bool ours;

	return absolute(names, from, dotted, rest, &root, &ours);
}

uint32_t links_names_inside(const LinkNames *names, uint32_t package, Str name)
{
	Key key = { .len = 0 };

	if (!links_names_is_package(names, package) || !key_add(&key, names->keys[package]) ||
	    !key_add(&key, name))
		return LINK_NONE;
	return module_at(names, key_str(&key));
}

uint32_t links_names_constant(const LinkNames *names, uint32_t from, Str text, uint32_t *def)
{
	Str rest = S(""), part;
	uint32_t module = links_names_absolute(names, from, text, &rest), index;
	BoundKind bound;

	*def = LINK_NONE;
	if (module == LINK_NONE || !rest.len)
		return module;
	str_split(&rest, '.', &part);
	bound = links_names_bound(names, module, LINK_NONE, part, &index);
	if (bound == BOUND_DEF)
		*def = index;
	return bound == BOUND_NOTHING ? LINK_NONE : module;
}

/* --- import statements ---------------------------------------------------------------------------------------------------------------- */

/* `name` of something: a module in the package, or what the module itself has. */
static void settle(const LinkNames *names, const LinkImport *import, uint32_t module, Str rest,
                   Target *out)
{
	uint32_t inside;

	out->module = module;
	out->whole = !import->name.len;
	/* What a plain module seems to have in it (six.moves), it makes itself. */
	out->lost = module == LINK_NONE || (rest.len && links_names_is_package(names, module));
	if (out->lost || rest.len || !import->name.len || str_eq(import->name, S("*")))
		return;
	inside = links_names_inside(names, module, import->name);
	if (inside != LINK_NONE) {
		out->module = inside;
		out->whole = true;
	}
}

/* In a folder without an __init__.py only modules can be named. */
static void in_folder(const LinkNames *names, Str base, const LinkImport *import, Target *out)
{
	Key key = { .len = 0 };

	out->lost = true;
	if (!key_add(&key, base) || !key_add(&key, import->module) || !key_add(&key, import->name))
		return;
	out->module = module_at(names, key_str(&key));
	out->lost = out->module == LINK_NONE && !map_get(&names->folders, key_str(&key));
	out->whole = true;
}

static void relative(const LinkNames *names, uint32_t from, const LinkImport *import, Target *out)
{
	Str base = links_names_is_package(names, from) ? names->keys[from]
	                                               : folder_of(names->keys[from]);
	uint32_t module;
	size_t len, folder;

	out->lost = true;
	for (uint8_t up = 1; up < import->dots; up++) {
		if (!base.len) {
			out->lost = !names->prefix.len;
			return;
		}
		base = folder_of(base);
	}
	if (!import->module.len) {
		module = module_at(names, base);
		if (module == LINK_NONE || !links_names_is_package(names, module))
			in_folder(names, base, import, out);
		else
			settle(names, import, module, S(""), out);
		return;
	}
	len = longest(names, base, import->module, &module, &folder);
	if (len == import->module.len)
		settle(names, import, module, S(""), out);
	else if (folder == import->module.len)
		in_folder(names, base, import, out);
}

/* Python 2 looks into the module's own folder first; Python 3 does when the file is run by its path. */
static bool beside(const LinkNames *names, uint32_t from, const LinkImport *import, Target *out)
{
	LinkImport near = { .module = import->module, .name = import->name, .dots = 1 };
	Target found = { .module = LINK_NONE };
	Str top = import->module, tail = import->module;

	str_split(&tail, '.', &top);
	if (links_names_is_standard(top))
		return false;
	relative(names, from, &near, &found);
	if (found.module == LINK_NONE || found.module == from)
		return false;
	*out = found;
	out->beside = true;
	return true;
}

static void vote(LinkNames *names, uint32_t module, uint32_t root)
{
	bool fresh;

	if (root != names->root_of[module])
		++*pair_at(&names->votes, names->root_of[module], root, &fresh);
}

static void target_of(LinkNames *names, uint32_t from, const FileLinks *file,
                      const LinkImport *import, Target *out)
{
	Str rest = S(""), top = import->module, tail = import->module;
	uint32_t root = 0, module;
	bool ours = false;

	*out = (Target){ .module = LINK_NONE };
	if (import->dots) {
		relative(names, from, import, out);
		return;
	}
	str_split(&tail, '.', &top);
	if (file->python2 && beside(names, from, import, out))
		return;
	module = absolute(names, from, import->module, &rest, &root, &ours);
	if (module == LINK_NONE && ours) {
		/* A folder that others may have parts of elsewhere. */
		if (!rest.len)
			in_folder(names, root_path(names, root), import, out);
		out->lost = false;
		ours = out->module != LINK_NONE;
	} else if (ours) {
		settle(names, import, module, rest, out);
	}
	out->standard = !ours && links_names_is_standard(top);
	if (!ours && beside(names, from, import, out))
		return;
	if (out->module != LINK_NONE && !names->prefix.len)
		vote(names, out->module, root);
}

Str links_names_place(const LinkNames *names, Arena *a, uint32_t from, const LinkImport *import)
{
	Str base = root_path(names, names->root_of[from]), dotted = import->module;
	char *at;

	if (import->dots) {
		base = links_names_is_package(names, from) ? names->keys[from]
		                                           : folder_of(names->keys[from]);
		for (uint8_t up = 1; up < import->dots; up++)
			base = folder_of(base);
	} else if (names->prefix.len && str_starts(dotted, names->prefix)) {
		dotted = str_sub(dotted, names->prefix.len + 1, dotted.len);
	}
	if (!dotted.len)
		dotted = import->name;
	at = arena_alloc_raw(a, base.len + dotted.len + 1);
	memcpy(at, base.at, base.len);
	at[base.len] = '/';
	for (size_t i = 0; i < dotted.len; i++)
		at[base.len + 1 + i] = dotted.at[i] == '.' ? '/' : dotted.at[i];
	return str_sub((Str){ at, base.len + 1 + dotted.len }, base.len == 0, SIZE_MAX);
}

/* --- names ---------------------------------------------------------------------------------------------------------------------------- */

static uint32_t voted_root(const LinkNames *names, uint32_t module)
{
	Str key = names->keys[module];
	uint32_t own = names->root_of[module], best = own, most = 0;

	for (size_t i = 0; i < key.len && i <= root_path(names, own).len; i++) {
		uint32_t number;
		const uint32_t *votes;

		if (i && key.at[i] != '/')
			continue;
		number = number_of(map_get(&names->roots, str_sub(key, 0, i)));
		votes = number ? pair_find(&names->votes, own, number - 1) : NULL;
		if (votes && *votes > most) {
			most = *votes;
			best = number - 1;
		}
	}
	return best;
}

static Str name_of(Arena *a, const LinkNames *names, uint32_t module)
{
	Str root = root_path(names, voted_root(names, module)), key = names->keys[module];
	Str rest = str_sub(key, root.len + (root.len > 0), key.len);
	char *name = arena_alloc_raw(a, names->prefix.len + rest.len + 2);
	size_t len = 0;

	if (names->prefix.len && !root.len) {
		memcpy(name, names->prefix.at, names->prefix.len);
		len = names->prefix.len;
		if (rest.len)
			name[len++] = '.';
	}
	for (size_t i = 0; i < rest.len; i++)
		name[len++] = rest.at[i] == '/' ? '.' : rest.at[i];
	return len ? (Str){ name, len } : S("__init__");
}

/* A class's or a module's names, and which import or definition of them it is. Definitions win; a variable that an import shares its name
 * with is what stands in when that fails. */
static void bind(LinkNames *names, uint32_t module, const FileLinks *file)
{
	bool fresh;

	for (uint32_t i = 0; i < file->def_count; i++) {
		const LinkDef *def = &file->defs[i];
		uint32_t *at =
			pair_at(&names->bound, link_hash(def->name) + def->parent + UINT64_C(1),
		                module, &fresh);

		if (fresh)
			*at = i << 1;
	}
	for (uint32_t i = 0; i < file->import_count; i++) {
		const LinkImport *import = &file->imports[i];
		uint32_t *at;

		if (!import->bound.len)
			continue;
		at = pair_at(&names->bound, link_hash(import->bound) + LINK_NONE + UINT64_C(1),
		             module, &fresh);
		if (fresh || (!(*at & 1) && file->defs[*at >> 1].kind == DEF_VARIABLE))
			*at = i << 1 | 1;
	}
}

BoundKind links_names_bound(const LinkNames *names, uint32_t module, uint32_t parent, Str name,
                            uint32_t *index)
{
	const uint32_t *at =
		pair_find(&names->bound, link_hash(name) + parent + UINT64_C(1), module);

	if (!at)
		return BOUND_NOTHING;
	*index = *at >> 1;
	return *at & 1 ? BOUND_IMPORT : BOUND_DEF;
}

void links_names_resolve(Arena *a, LinkNames *names)
{
	const Project *p = names->project;
	uint32_t *first = ARENA_ARRAY(a, uint32_t, p->count + 1);
	uint32_t count = 0;

	for (uint32_t m = 0; m < p->count; m++) {
		const FileLinks *file = links_names_file(names, m);

		first[m] = count;
		count += file ? file->import_count : 0;
		if (file)
			bind(names, m, file);
	}
	first[p->count] = count;
	names->first_import = first;
	names->targets = ARENA_ARRAY(a, Target, count + 1);
	for (uint32_t m = 0; m < p->count; m++) {
		const FileLinks *file = links_names_file(names, m);

		for (uint32_t i = 0; file && i < file->import_count; i++)
			target_of(names, m, file, &file->imports[i], &names->targets[first[m] + i]);
	}
	for (uint32_t m = 0; m < p->count; m++) {
		LinkModule *module = &names->links->modules[m];

		module->name = name_of(a, names, m);
		module->links = links_names_file(names, m);
		if (!map_get(&names->by_name, module->name))
			map_put(&names->by_name, module->name, numbered(m));
	}
}

uint32_t links_module(const Links *links, Str name)
{
	return number_of(map_get(&links->names->by_name, name)) - 1;
}
