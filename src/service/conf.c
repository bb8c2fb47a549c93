/* SPDX-License-Identifier: Apache-2.0
 *
 * `services:` of the configuration:
 *
 *   services:
 *     user: { listen: "127.0.0.1:8100", database: "sqlite:data/user.db" }
 *     payment: { url: "http://payment.internal:8200" }
 *
 * Each service has the keys below and its own beside them. Its table is put together here when the program starts: a copy of
 * both lists of rows, the service's own moved behind the struct of all. A service that has a `url` runs elsewhere, unless
 * `banyan serve --only` names it. */
#include "base/arena.h"
#include "base/args.h"
#include "service/conf_int.h"
#include "service/home_int.h"
#include "service/services.h"
#include "service/trust_int.h"

#include <string.h>
#include <unistd.h>

/* How one service lies in the struct that its keys fill: a flag, the keys of all, its own. */
typedef struct Slot {
	bool on; /* it stands in the file; outside of what reading it overwrites */
	_Alignas(16) ServiceConf conf;
	_Alignas(16) char own[];
} Slot;

static struct {
	const Service *at[SERVICES_MOST];
	ConfTable tables[SERVICES_MOST];
	size_t from[SERVICES_MOST];      /* of its Slot */
	ConfKey keys[1 + SERVICES_MOST]; /* the first: what is all services' */
	size_t count;
	const Str *only;
	size_t only_count;
	ConfTable table;
	const void *conf; /* that is at work */
	bool outside;
} known;

/* What lies before the slots: keys that are all services'. */
typedef struct Common {
	Str secret;
} Common;
static const ConfKey secret_key = {
	"secret",
	CONF_STR,
	AT(Common, secret),
	.secret = true,
	.min = "32",
	.max = "1000",
	.value = "TEXT",
	.help = "by which services in different processes know each other: file:secrets/services",
	.more = "The same in all of them, at least 32 bytes: openssl rand -hex 32. Services of one process need none."
};

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static Err *verify_listen(Arena *a, Str text)
{
	Addr addr;

	return addr_parse(a, text, &addr);
}

static bool split_url(Str url, Str *address, bool *tls)
{
	Str rest = url;

	*tls = str_starts(url, S("https://"));
	if (!*tls && !str_starts(url, S("http://")))
		return false;
	rest = str_sub(url, *tls ? 8 : 7, url.len);
	if (str_ends(rest, S("/")))
		rest.len--;
	*address = rest;
	return rest.len && str_find_char(rest, '/') < 0 && str_find_char(rest, '@') < 0 &&
	       str_find_char(rest, '?') < 0;
}

static Err *verify_url(Arena *a, Str text)
{
	Str address;
	bool tls;

	if (split_url(text, &address, &tls))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value",
	               "%.*s is not like http://user.internal:8100 (no path)",
	               STR_ARG(str_quote(a, text)));
}

static Err *verify_public(Arena *a, Str text)
{
	return verify_url(a, text);
}

static Err *verify_network(Arena *a, Str text)
{
	TrustNet net;

	if (trust_read(text, &net))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "%.*s is no network like 10.0.0.0/8",
	               STR_ARG(str_quote(a, text)));
}

static const ConfKey shared_keys[] = {
	{ "listen", CONF_STR, AT(ServiceConf, listen), .verify = verify_listen, .value = "ADDRESS",
	  .help = "where it takes requests of others than this process's gateway; none: nowhere",
	  .more = "Port 0 is picked by the system and told at the start." },
	{ "url", CONF_STR, AT(ServiceConf, url), .verify = verify_url, .value = "URL",
	  .help = "where it is reached by processes that do not run it: http://user.internal:8100",
	  .more = "With it, `banyan serve` does not run the service unless `--only` names it." },
	{ "public_url", CONF_STR, AT(ServiceConf, public_url), .verify = verify_public,
	  .value = "URL",
	  .help = "how clients reach it through the gateway: https://shop.example" },
	{ "development", CONF_BOOL, AT(ServiceConf, development), .def = "false",
	  .help = "eases what production must not: see the service's own page" },
	{ "database", CONF_OBJECT, AT(ServiceConf, database), GIVEN(ServiceConf, has_database),
	  .help = "where it keeps what is its own" },
	{ "redis", CONF_OBJECT, AT(ServiceConf, redis), GIVEN(ServiceConf, has_redis),
	  .help = "a Redis for its caches and events; none: memory" },
	{ "cache", CONF_OBJECT, AT(ServiceConf, cache),
	  .help = "where it has a redis: answers that are kept, here and there" },
	{ "issuers", CONF_OBJECT, AT_LIST(ServiceConf, issuers),
	  .help = "whose access tokens are believed; none: those of the user service",
	  .more = "Services that have users of their own take no notice of it." },
	{ "trusted_proxies", CONF_STR, AT_LIST(ServiceConf, trusted_proxies),
	  .verify = verify_network, .value = "NETWORK",
	  .help = "gateways on other machines, whose word on the client is believed: 10.0.0.0/8" },
};

static void check_at(Conf *conf, void *object, size_t i)
{
	const ServiceConf *c = object;

	if (!c->url.len && !c->has_database)
		conf_mistake(conf, c, "service %s: it needs a database, or the url where it runs",
		             known.at[i]->name);
	if (known.at[i]->conf && known.at[i]->conf->check)
		known.at[i]->conf->check(conf, (char *)object + offsetof(Slot, own) -
		                                       offsetof(Slot, conf));
}

#define CHECKS(X) \
	X(0) \
	X(1) \
	X(2) \
	X(3) \
	X(4) \
	X(5) \
	X(6) \
	X(7)
#define X(n) \
	static void check_##n(Conf *conf, void *object) \
	{ \
		check_at(conf, object, n); \
	}
CHECKS(X)
#undef X
#define X(n) check_##n,
static ConfCheck *const checks[] = { CHECKS(X) };
#undef X
_Static_assert(COUNT(checks) == SERVICES_MOST, "a service has no check");

/* --- putting them together --------------------------------------------------------------------------------------------- */

static ConfKey moved(ConfKey key, size_t by)
{
	key.offset += by;
	key.given += key.given ? (uint32_t)by : 0;
	key.outside += key.outside ? (uint32_t)by : 0;
	return key;
}

static ConfKey shared_key(size_t i)
{
	ConfKey key = shared_keys[i];

	if (strcmp(key.name, "database") == 0)
		key.table = db_conf_table();
	if (strcmp(key.name, "cache") == 0)
		key.table = cache_conf_table();
	if (strcmp(key.name, "redis") == 0)
		key.table = redis_conf_table();
	if (strcmp(key.name, "issuers") == 0)
		key.table = issuer_conf_table();
	return key;
}

static void table_of(Arena *a, const Service *service, ConfTable *out)
{
	const ConfTable *own = service->conf;
	size_t count = COUNT(shared_keys) + (own ? own->count : 0);
	ConfKey *keys = ARENA_ARRAY(a, ConfKey, count);

	for (size_t i = 0; i < COUNT(shared_keys); i++)
		keys[i] = shared_key(i);
	for (size_t i = COUNT(shared_keys); i < count; i++)
		keys[i] = moved(own->keys[i - COUNT(shared_keys)],
		                offsetof(Slot, own) - offsetof(Slot, conf));
	*out = (ConfTable){ .name = service->name,
		            .size = offsetof(Slot, own) - offsetof(Slot, conf) +
		                    (own ? own->size : 0),
		            .keys = keys,
		            .count = count,
		            .help = service->summary };
}

static Err *add_one(Arena *a, const Service *service, size_t *at)
{
	size_t i = known.count;
	ConfTable *table = &known.tables[i];

	table_of(a, service, table);
	table->check = checks[i];
	known.at[i] = service;
	known.from[i] = *at;
	known.keys[1 + i] = (ConfKey){ .name = service->name,
		                       .type = CONF_OBJECT,
		                       .offset = *at + offsetof(Slot, conf),
		                       .size = (uint16_t)table->size,
		                       .span = (uint16_t)table->size,
		                       .given = (uint32_t)(1 + *at + offsetof(Slot, on)),
		                       .table = table,
		                       .help = service->summary };
	*at += (offsetof(Slot, conf) + table->size + 15) & ~(size_t)15;
	known.count++;
	if (*at > SERVICES_BYTES)
		return err_new(a, ERR_INTERNAL, "service.table", "SERVICES_BYTES is too small");
	return conf_check_table(a, table);
}

Err *services_add(Arena *a, const Service *const *services, size_t count)
{
	size_t at = sizeof(Common);

	known.keys[0] = secret_key;
	if (count > SERVICES_MOST)
		return err_new(a, ERR_INTERNAL, "service.table", "SERVICES_MOST is too small");
	known.count = 0;
	for (size_t i = 0; i < count; i++)
		TRY(add_one(a, services[i], &at));
	known.table =
		(ConfTable){ .name = "services",
		             .size = SERVICES_BYTES,
		             .keys = known.keys,
		             .count = 1 + known.count,
		             .help = "services that run in this process, or are reached by it" };
	return NULL;
}

const ConfTable *services_table(void)
{
	return &known.table;
}

/* --- what it says ------------------------------------------------------------------------------------------------------ */

static const Slot *slot_of(const void *conf, size_t i)
{
	return (const Slot *)(const void *)((const char *)conf + known.from[i]);
}

size_t services_count(void)
{
	return known.count;
}

const Schema *(*services_schema(size_t i))(void)
{
	return i == 0 ? frame_schema : i <= known.count ? known.at[i - 1]->schema : NULL;
}

const Service *services_at(size_t i)
{
	return known.at[i];
}

const ServiceConf *service_conf_of(const void *conf, size_t i)
{
	return &slot_of(conf, i)->conf;
}

const void *service_own_conf(const void *conf, size_t i)
{
	return slot_of(conf, i)->own;
}

/* --- what is at work ---------------------------------------------------------------------------------------------------- */

void services_use(const void *conf, bool outside)
{
	known.conf = conf;
	known.outside = outside;
}

Str services_secret(void)
{
	return known.conf ? ((const Common *)known.conf)->secret : S("");
}

static ptrdiff_t find(Str name)
{
	for (size_t i = 0; i < known.count; i++)
		if (str_eq(name, str_of(known.at[i]->name)))
			return (ptrdiff_t)i;
	return -1;
}

Err *services_only(Arena *a, const Str *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!str_eq(names[i], S("gateway")) && find(names[i]) < 0)
			return err_new(a, ERR_INVALID, "service.unknown",
			               "--only: there is no service %.*s",
			               STR_ARG(str_quote(a, names[i])));
	known.only = names;
	known.only_count = count;
	return NULL;
}

bool services_any(const void *conf)
{
	for (size_t i = 0; i < known.count; i++)
		if (slot_of(conf, i)->on)
			return true;
	return false;
}

bool service_runs_here(const void *conf, size_t i)
{
	const Slot *slot = slot_of(conf, i);

	if (!known.only_count)
		return slot->on && !slot->conf.url.len;
	for (size_t k = 0; k < known.only_count; k++)
		if (str_eq(known.only[k], str_of(known.at[i]->name)))
			return true;
	return false;
}

Err *services_wanted(Arena *a, const void *conf)
{
	for (size_t i = 0; i < known.count; i++)
		if (service_runs_here(conf, i) &&
		    (!slot_of(conf, i)->on || !slot_of(conf, i)->conf.has_database))
			return err_new(a, ERR_INVALID, "service.database",
			               "service %s is to run here, but has no services.%s.database",
			               known.at[i]->name, known.at[i]->name);
	return NULL;
}

Str service_inner_address(Arena *a, const Service *service)
{
	return str_fmt(a, "unix:@banyan-%d-%s", (int)getpid(), service->name);
}

const char *services_place(Arena *a, const void *conf, Str name, Str *address, bool *tls)
{
	ptrdiff_t i = find(name);
	const Slot *slot;

	*tls = false;
	if (i < 0)
		return "is not known to this program";
	slot = slot_of(conf, (size_t)i);
	if (!slot->on)
		return "is not in services";
	if (service_runs_here(conf, (size_t)i)) {
		*address = service_inner_address(a, known.at[i]);
		return NULL;
	}
	if (!slot->conf.url.len && slot->conf.listen.len) {
		*address = slot->conf.listen; /* another process of this machine */
		return NULL;
	}
	if (!slot->conf.url.len)
		return "runs elsewhere: set its url";
	return split_url(slot->conf.url, address, tls) ? NULL : "has no usable url";
}

const ServiceConf *service_conf_named(const char *name)
{
	ptrdiff_t i = find(str_of(name));
	const Slot *slot = i < 0 || !known.conf ? NULL : slot_of(known.conf, (size_t)i);

	return slot && slot->on ? &slot->conf : NULL;
}

bool services_is_here(const char *name)
{
	ptrdiff_t i = find(str_of(name));

	return i >= 0 && known.conf && !known.outside && service_runs_here(known.conf, (size_t)i);
}

/* A command is no part of the process that serves: it goes where that listens. */
static const char *place_outside(Str name, Str *address, bool *tls)
{
	ptrdiff_t i = find(name);
	const Slot *slot = i < 0 ? NULL : slot_of(known.conf, (size_t)i);

	*tls = false;
	if (!slot || !slot->on)
		return "is not in services";
	if (slot->conf.url.len)
		return split_url(slot->conf.url, address, tls) ? NULL : "has no usable url";
	*address = slot->conf.listen;
	return address->len ? NULL : "listens nowhere: set its listen or url";
}

const char *services_peer_place(Arena *a, Str name, Str *address, bool *tls)
{
	if (!known.conf)
		return "is not in services";
	return known.outside ? place_outside(name, address, tls)
	                     : services_place(a, known.conf, name, address, tls);
}

const Service *service_of_command(const Cmd *cmd)
{
	Str rest = str_of(cmd->command->name), name;
	ptrdiff_t i = str_split(&rest, ' ', &name) ? find(name) : -1;

	return i < 0 ? NULL : known.at[i];
}
