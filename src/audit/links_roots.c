/* SPDX-License-Identifier: Apache-2.0
 *
 * What is used although no code says its name: names that Python and frameworks look for. Each row is a name and where it counts; who knows of
 * another one writes it here, or, for one project, into `audit.imports.keep`. Decorators are the other way round: whatever decorates a thing may
 * have put it in a register, so that it counts as used, unless the decorator is known to do no such thing. */
#include "audit/links_roots.h"

enum {
	F = 1U << DEF_FUNCTION,
	M = 1U << DEF_METHOD,
	C = 1U << DEF_CLASS,
	V = 1U << DEF_VARIABLE,
	ANY = F | M | C | V
};

static const struct {
	Str name; /* one * at most */
	uint8_t kinds;
	Str path; /* the end of the module's name after its last dot, one *; empty: any */
} rows[] = {
	/* Python */
	{ S("__*__"), ANY, S("") },
	{ S("_"), ANY, S("") },
	{ S("_*_"), M | V, S("") },
	{ S("main"), F, S("__main__") },
	{ S("setup"), F | V, S("setup") },
	/* unittest and pytest; also in files that are no tests by name */
	{ S("setUp*"), M, S("") },
	{ S("tearDown*"), M, S("") },
	{ S("setup_module"), F, S("") },
	{ S("teardown_module"), F, S("") },
	{ S("setup_method"), M, S("") },
	{ S("teardown_method"), M, S("") },
	{ S("setup_class"), M, S("") },
	{ S("teardown_class"), M, S("") },
	{ S("pytest_*"), F | V, S("") },
	{ S("pytestmark"), V, S("") },
	{ S("load_tests"), F, S("") },
	/* Django */
	{ S("Meta"), C, S("") },
	{ S("Media"), C, S("") },
	{ S("Command"), C, S("") },
	{ S("Migration"), C, S("") },
	{ S("urlpatterns"), V, S("") },
	{ S("app_name"), V, S("") },
	{ S("handler400"), V, S("") },
	{ S("handler403"), V, S("") },
	{ S("handler404"), V, S("") },
	{ S("handler500"), V, S("") },
	{ S("default_app_config"), V, S("") },
	{ S("application"), F | V, S("") },
	{ S("register"), V, S("") },
	{ S("*Config"), C, S("apps") },
	{ S("*"), C, S("models") },
	{ S("*"), C, S("admin") },
	{ S("*"), ANY, S("settings*") },
	{ S("*"), V, S("config") },
	{ S("*"), V, S("conf") },
	{ S("get_absolute_url"), M, S("") },
	{ S("*Middleware"), C, S("") },
	{ S("process_request"), M, S("") },
	{ S("process_response"), M, S("") },
	{ S("process_view"), M, S("") },
	{ S("process_exception"), M, S("") },
	{ S("process_template_response"), M, S("") },
	{ S("db_for_read"), M, S("") },
	{ S("db_for_write"), M, S("") },
	{ S("allow_relation"), M, S("") },
	{ S("allow_migrate"), M, S("") },
	/* Flask, WSGI, ASGI, Celery, gunicorn, invoke, Alembic */
	{ S("create_app"), F, S("") },
	{ S("make_app"), F, S("") },
	{ S("app"), F | V, S("") },
	{ S("celery"), V, S("") },
	{ S("celery_app"), V, S("") },
	{ S("*"), V | F, S("gunicorn*") },
	{ S("*"), F, S("fabfile") },
	{ S("upgrade"), F, S("") },
	{ S("downgrade"), F, S("") },
	{ S("revision"), V, S("") },
	{ S("down_revision"), V, S("") },
	{ S("branch_labels"), V, S("") },
	{ S("depends_on"), V, S("") },
	/* what classes of the library call */
	{ S("visit_*"), M, S("") },
	{ S("do_*"), M, S("") },
	{ S("handle_*"), M, S("") },
	{ S("default"), M, S("") },
	{ S("emit"), M, S("") },
	{ S("run"), M, S("") },
	{ S("Config"), C, S("") },
};

/* The last part of decorators that do not keep what they decorate. */
static const Str passive[] = {
	S("property"),
	S("cached_property"),
	S("staticmethod"),
	S("classmethod"),
	S("abstractmethod"),
	S("setter"),
	S("getter"),
	S("deleter"),
	S("lru_cache"),
	S("cache"),
	S("wraps"),
	S("contextmanager"),
	S("override"),
	S("overload"),
	S("asynccontextmanager"),
	S("dataclass"),
	S("total_ordering"),
	S("unique"),
	S("final"),
	S("login_required"),
	S("csrf_exempt"),
	S("never_cache"),
	S("require_POST"),
	S("require_GET"),
	S("require_http_methods"),
	S("permission_required"),
	S("atomic"),
	S("cache_page"),
	S("python_2_unicode_compatible"),
	S("deconstructible"),
	S("singledispatch"),
	S("runtime_checkable"),
	S("coroutine"),
	S("abstractproperty"),
};

/* Classes outside the project that call none of their heirs' methods by a name that we do not know. */
static const Str plain_bases[] = {
	S("object"),    S("ABC"),       S("Enum"),          S("IntEnum"),     S("StrEnum"),
	S("Flag"),      S("IntFlag"),   S("str"),           S("int"),         S("float"),
	S("dict"),      S("list"),      S("tuple"),         S("set"),         S("frozenset"),
	S("bytes"),     S("Generic"),   S("Protocol"),      S("NamedTuple"),  S("namedtuple"),
	S("TypedDict"), S("Exception"), S("BaseException"), S("OrderedDict"), S("defaultdict"),
};

/* Modules that are started, or looked for by name. */
static const Str modules[] = {
	S("__main__"),    S("manage"),         S("setup"),         S("conftest"),      S("wsgi*"),
	S("asgi*"),       S("settings*"),      S("urls*"),         S("admin"),         S("apps"),
	S("models"),      S("tasks"),          S("celery*"),       S("signals"),       S("fabfile"),
	S("noxfile"),     S("gunicorn*"),      S("env"),           S("conf"),          S("config"),
	S("translation"), S("search_indexes"), S("sitecustomize"), S("usercustomize"), S("test*"),
};
static const Str folders[] = { S("commands"), S("templatetags"), S("migrations"),
	                       S("versions"), S("settings"),     S("scripts"),
	                       S("bin"),      S("locale"),       S("management") };

static Str last_part(Str dotted)
{
	return str_sub(dotted, (size_t)(str_rfind_char(dotted, '.') + 1), dotted.len);
}

bool root_by_name(const LinkDef *def, Str module)
{
	Str last = last_part(module);
	char first = def->name.len ? def->name.at[0] : 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].kinds & 1U << def->kind &&
		    (rows[i].name.at[0] == '*' || rows[i].name.at[0] == first) &&
		    name_fits(def->name, rows[i].name) &&
		    (!rows[i].path.len || name_fits(last, rows[i].path)))
			return true;
	return false;
}

bool root_by_decorator(const LinkDef *def)
{
	for (uint32_t i = 0; i < def->decorator_count; i++) {
		bool known = false;

		for (size_t p = 0; p < COUNT(passive) && !known; p++)
			known = str_eq(last_part(def->decorators[i]), passive[p]);
		if (!known)
			return true;
	}
	return false;
}

bool root_test(const LinkDef *def)
{
	static const Str names[] = { S("test*"), S("Test*"), S("*Test"), S("*Tests"),
		                     S("*TestCase") };

	for (size_t i = 0; i < COUNT(names); i++)
		if (name_fits(def->name, names[i]))
			return true;
	return false;
}

bool base_is_plain(Str base)
{
	Str last = last_part(base);

	if (str_ends(last, S("Error")) || str_ends(last, S("Exception")) ||
	    str_ends(last, S("Warning")))
		return true;
	for (size_t i = 0; i < COUNT(plain_bases); i++)
		if (str_eq(last, plain_bases[i]))
			return true;
	return false;
}

bool root_module(Str path)
{
	ptrdiff_t slash = str_rfind_char(path, '/');
	Str stem = str_sub(path, (size_t)(slash + 1), path.len - (path.len > 3 ? 3 : 0));
	Str above = slash < 0 ? S("") : str_sub(path, 0, (size_t)slash);

	above = str_sub(above, (size_t)(str_rfind_char(above, '/') + 1), above.len);
	for (size_t i = 0; i < COUNT(modules); i++)
		if (name_fits(stem, modules[i]))
			return true;
	for (size_t i = 0; i < COUNT(folders); i++)
		if (str_eq(above, folders[i]))
			return true;
	return false;
}
