/* SPDX-License-Identifier: Apache-2.0
 *
 * The first start: `banyan serve` in an empty folder. It writes a configuration of the gateway and all services and runs that, so
 * that what runs can be read, changed and taken along; the next start finds it. Routes are made of the services' own tables, so
 * none is forgotten: one for each first part of a path, and where two services share one, one for each method.
 *
 * The gateway asks for the user service's tokens wherever a service does; keys of programs ("sk_...", "bk_...") it leaves to the
 * services that know them. The services listen on sockets in the folder, for `--only` and for commands. */
#include "base/arena.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/yaml.h"
#include "service/home_int.h"
#include "service/services.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRONTS_MOST = 256, METHODS_MOST = 8, SECRET_BYTES = 32 };

/* What one route of the gateway takes. */
typedef struct Front {
	Str match; /* a prefix: its path and two stars */
	size_t service;
	Str methods[METHODS_MOST];
	size_t method_count;
	bool guarded; /* all of it wants somebody known */
} Front;

typedef struct Fronts {
	Front at[FRONTS_MOST];
	size_t count;
} Fronts;

/* --- routes --------------------------------------------------------------------------------------------------------------- */

/* The first two parts of a path and all below it; of what is not below /v1 the first. */
static Str match_of(Arena *a, const char *path)
{
	Str rest = str_of(path), part, start = { 0 };
	size_t parts = str_starts(rest, S("/v1/")) || str_starts(rest, S("/.well-known/")) ||
	                               str_starts(rest, S("/api/"))
	                       ? 2
	                       : 1;

	rest = str_sub(rest, 1, rest.len);
	for (size_t i = 0; i < parts && str_split(&rest, '/', &part); i++)
		if (part.len && part.at[0] != '{')
			start = str_fmt(a, "%.*s/%.*s", STR_ARG(start), STR_ARG(part));
	return str_fmt(a, "%.*s/**", STR_ARG(start));
}

static Front *front_of(Fronts *fronts, Str match, size_t service)
{
	Front *front;

	for (size_t i = 0; i < fronts->count; i++)
		if (fronts->at[i].service == service && str_eq(fronts->at[i].match, match))
			return &fronts->at[i];
	if (fronts->count == FRONTS_MOST)
		return NULL;
	front = &fronts->at[fronts->count++];
	*front = (Front){ .match = match, .service = service, .guarded = true };
	return front;
}

static void add_method(Front *front, Str method)
{
	for (size_t i = 0; i < front->method_count; i++)
		if (str_eq(front->methods[i], method))
			return;
	if (front->method_count < METHODS_MOST)
		front->methods[front->method_count++] = method;
}

static void add_routes(Arena *a, Fronts *fronts, size_t service)
{
	const Service *row = services_at(service);

	for (size_t i = 0; i < row->routes_count; i++)
		for (size_t k = 0; k < row->routes[i].count; k++) {
			const ServiceRoute *route = &row->routes[i].at[k];
			Front *front = front_of(fronts, match_of(a, route->path), service);

			if (!front)
				continue;
			add_method(front, str_of(route->method));
			front->guarded = front->guarded && route->scopes;
		}
}

static bool is_shared(const Fronts *fronts, const Front *front)
{
	for (size_t i = 0; i < fronts->count; i++)
		if (fronts->at[i].service != front->service &&
		    str_eq(fronts->at[i].match, front->match))
			return true;
	return false;
}

static void put_name(Buf *b, const Front *front)
{
	Str text = str_sub(front->match, 1, front->match.len);

	text = str_starts(text, S("v1/")) ? str_sub(text, 3, text.len) : text;
	buf_fmt(b, "%s-", services_at(front->service)->name);
	for (size_t i = 0; i + 3 < text.len; i++)
		buf_putc(b, (text.at[i] >= 'a' && text.at[i] <= 'z') ||
		                            (text.at[i] >= '0' && text.at[i] <= '9')
		                    ? text.at[i]
		                    : '-');
	if (text.len <= 3)
		buf_put(b, S("root"));
}

static void put_front(Buf *b, const Fronts *fronts, const Front *front)
{
	const Service *service = services_at(front->service);

	buf_put(b, S("  - { name: "));
	put_name(b, front);
	if (is_shared(fronts, front)) {
		buf_fmt(b, ", match: { path: \"%.*s\", methods: [ ", STR_ARG(front->match));
		for (size_t i = 0; i < front->method_count; i++)
			buf_fmt(b, "%s%.*s", i ? ", " : "", STR_ARG(front->methods[i]));
		buf_put(b, S(" ] }"));
	} else {
		buf_fmt(b, ", match: \"%.*s\"", STR_ARG(front->match));
	}
	buf_fmt(b, ", to: \"service:%s\"%s }\n", service->name,
	        front->guarded && strcmp(service->name, "user") != 0 ? ", auth: people" : "");
}

static void put_routes(Arena *a, Buf *b)
{
	Fronts *fronts = ARENA_NEW(a, Fronts);

	for (size_t i = 0; i < services_count(); i++)
		add_routes(a, fronts, i);
	for (size_t i = 0; i < fronts->count; i++)
		put_front(b, fronts, &fronts->at[i]);
}

/* --- the text ------------------------------------------------------------------------------------------------------------- */

static void put_text(Buf *b, const char *key, Str text)
{
	buf_fmt(b, "    %s: ", key);
	yaml_put_scalar(b, text);
	buf_putc(b, '\n');
}

static void put_services(Arena *a, Buf *b, Str folder, Str listen)
{
	for (size_t i = 0; i < services_count(); i++) {
		const Service *service = services_at(i);

		buf_fmt(b, "  %s:\n", service->name);
		put_text(b, "database",
		         str_fmt(a, "sqlite:%.*s/%s.db", STR_ARG(folder), service->name));
		put_text(b, "listen",
		         str_fmt(a, "unix:%.*s/%s.sock", STR_ARG(folder), service->name));
		put_text(b, "public_url", str_fmt(a, "http://%.*s", STR_ARG(listen)));
		buf_put(b, S("    development: on\n"));
		if (service->first)
			buf_put(b, str_of(service->first));
	}
}

static void put_all(Arena *a, Buf *b, Str folder, Str listen, Str admin)
{
	buf_fmt(b,
	        "# The gateway and its services in one process, on one folder: to try, and for small teams. `banyan serve` wrote this\n"
	        "# when it found no configuration, and reads it from now on: change what you like (docs/guide/services.md).\n"
	        "listen: \"%.*s\"\nadmin: \"%.*s\"\n\n"
	        "# Who comes with a token of the user service is known; keys of programs are looked at by the services.\n"
	        "auth:\n  people:\n    jwt: { issuer: \"http://%.*s\", jwks: \"service:user\", audience: \"http://%.*s\",\n"
	        "           typ: at+jwt, leave: [ sk_, rk_, pk_, bk_, bst_ ] }\n    optional: on\n\nroutes:\n",
	        STR_ARG(listen), STR_ARG(admin), STR_ARG(listen), STR_ARG(listen));
	put_routes(a, b);
	buf_put(b, S("\nservices:\n  secret: file:services.secret\n"));
	put_services(a, b, folder, listen);
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Whole or not at all: a name of its own first. */
static Err *write_file(Arena *a, Str path, Str text)
{
	const char *name = str_z(a, path);
	const char *fresh = str_z(a, str_fmt(a, "%s.%d", name, (int)getpid()));
	AUTO(fd_close) int fd = open(fresh, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(a, errno, "base.file", "%s", fresh);
	while (text.len) {
		ssize_t n = write(fd, text.at, text.len);

		if (n < 0 && errno != EINTR)
			return err_errno(a, errno, "base.file", "%s", fresh);
		text = str_sub(text, n > 0 ? (size_t)n : 0, text.len);
	}
	if (fsync(fd) != 0 || rename(fresh, name) != 0)
		return err_errno(a, errno, "base.file", "%s", name);
	return NULL;
}

static Err *write_secret(Arena *a, Str folder)
{
	uint8_t bytes[SECRET_BYTES];
	AUTO(buf_fini) Buf b = { 0 };

	rand_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		buf_fmt(&b, "%02x", bytes[i]);
	buf_putc(&b, '\n');
	return write_file(a, str_fmt(a, "%.*s/services.secret", STR_ARG(folder)), buf_str(&b));
}

static Err *make_folder(Arena *a, Str folder, Str *whole)
{
	const char *name = str_z(a, folder);
	char path[PATH_MAX];

	if (mkdir(name, 0700) != 0 && errno != EEXIST)
		return err_errno(a, errno, "base.file", "%s", name);
	if (!realpath(name, path))
		return err_errno(a, errno, "base.file", "%s", name);
	*whole = str_dup(a, str_of(path));
	return NULL;
}

Err *services_first(Arena *a, Str folder, Str listen, Str admin, Str *file)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str path = str_fmt(a, "%.*s/banyan.yaml", STR_ARG(folder)), whole;

	*file = path;
	if (access(str_z(a, path), F_OK) == 0) {
		if (!listen.len)
			return NULL;
		return err_new(a, ERR_CONFLICT, "service.first",
		               "%.*s is there already: say in it where to listen", STR_ARG(path));
	}
	TRY(make_folder(a, folder, &whole));
	put_all(a, &b, whole, listen.len ? listen : S("127.0.0.1:8080"),
	        admin.len ? admin : S("127.0.0.1:8081"));
	TRY(write_secret(a, folder));
	return write_file(a, path, buf_str(&b));
}
