/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files that carry an nginx site over: what they all work on, and the result while it grows. What each does is in
 * nginx_carry_parts.h; texts are in nginx_carry_text.h. */
#pragma once
#include "gateway/conf_int.h"
#include "gateway/nginx_carry.h"
#include "gateway/route_regex.h"

enum { FATE_NONE, FATE_TAKEN, FATE_SAID }; /* NginxNode.fate */

/* A level that directives are inherited from. */
typedef struct Scope Scope;
struct Scope {
	const Scope *outer; /* NULL: http */
	NginxNode *node;    /* location or server */
	NginxNode *first;   /* what stands in it */
};

/* `set $name value`, where the value is known. */
typedef struct Constant Constant;
struct Constant {
	Str name, value;
	Constant *next;
};

typedef struct Carry {
	Arena *arena;
	Carried *out;
	const CarryOptions *options;
	Str folder; /* of the configuration: certificates are taken from */
	Scope http;
	CarryNote **note_tail;
	CarryBlock **listener_tail, **upstream_tail, **route_tail;
	struct Server *servers;
	CarryBlock *at;  /* where what is about the whole is said */
	bool usual_body; /* somewhere nginx's own limit counts */
	bool many;       /* virtual servers: names of routes begin with theirs */
} Carry;

/* A virtual server as one kind of request sees it. */
typedef struct Vhost {
	const struct Server *server;
	Str host;   /* "www.example.org", "*.example.org"; empty: any other */
	Str scheme; /* "http", "https" */
	bool tell;  /* the other scheme is answered otherwise */
} Vhost;

typedef struct Server Server;
struct Server {
	Scope scope;
	Str name; /* the first: $server_name */
	Str *names;
	size_t name_count;
	struct Listen *listens;
	bool plain, tls; /* has listens of that kind */
	Server *next;
};

typedef enum RuleKind { RULE_EXACT, RULE_PREFIX, RULE_REGEX } RuleKind;

/* What takes a path, in the order in which nginx looks; the first wins. */
typedef struct Rule Rule;
struct Rule {
	RuleKind kind;
	Str text; /* path, or expression */
	bool nocase;
	bool firm;  /* ^~ */
	Str within; /* REGEX: and only below this path */
	Str head;   /* REGEX: what all that it takes begins with; empty: nothing is known */
	const RouteRegex *regex; /* REGEX: NULL when it is none */
	Scope scope;             /* what is done: a location, or the server */
	NginxNode *step;         /* and before it: the rewrite or return that this rule is of */
	unsigned rank;           /* the order: of kinds, */
	size_t weight;           /* then of lengths, */
	size_t number;           /* then of the file */
	bool as_regex;           /* how it is written */
	bool dead;               /* others take all it could */
};

typedef struct Rules {
	Rule *at;
	size_t count, cap;
	bool expressions; /* is any location a regular expression? */
} Rules;

typedef enum ActKind { ACT_PROXY = 1, ACT_FILES = 2, ACT_ANSWER = 4, ACT_REDIRECT = 8 } ActKind;

/* A route in the making. */
typedef struct Place {
	Carry *c;
	const Vhost *vhost;
	const Rules *rules; /* of the server */
	const Rule *rule;
	Str exact; /* the path, when it is one */
	const Scope *scope;
	CarryBlock *route;
	CarryBlock *upstream;
	NginxNode *pass; /* proxy_pass and its like */
	unsigned act;    /* ActKind, when known */
	Constant *constants;
	NginxNode *mapping; /* the location's own rewrite, when it only changes the path's start */
	Str rewritten;      /* what the path has become before the handler; empty: nothing else */
	const Rule *landed; /* which location took that, when it is another */
	Str regex;          /* as it is written, with groups; empty: the route has none */
	bool grouped;       /* a template names one of them */
} Place;

/* nginx_carry_model.c: the result. Paths of items are joined by dots: "timeouts.head". */
CarryBlock *carry_block(Carry *c, CarryBlock ***tail, Str name);
CarryItem *carry_item(Arena *a, CarryBlock *block, const char *path);
CarryItem *carry_child(Arena *a, CarryItem *item, Str key);
void carry_set(Arena *a, CarryBlock *block, const char *path, Str value);
void carry_set_text(Arena *a, CarryBlock *block, const char *path,
                    Str text); /* quoted when need be */
const CarryItem *carry_find(const CarryBlock *block, const char *path);
void carry_remove(CarryBlock *block, const char *key);
Str carry_flow(Arena *a, const CarryItem *item); /* "{ a: b }" */
Str carry_scalar(Arena *a, Str text);
/* Adds to a list "[ a, b ]". */
void carry_append(Arena *a, CarryItem *item, Str text);
/* Says it once of each node. block: where it would stand. */
void carry_say(Carry *c, CarryBlock *block, NginxNode *node, const char *fmt, ...) PRINTF(4, 5);
void carry_differs(Carry *c, CarryBlock *block, NginxNode *node, const char *fmt, ...) PRINTF(4, 5);

/* Would our own reader take this text? Says why not. */
bool carry_checks(Carry *c, CarryBlock *block, NginxNode *node, ConfVerify *verify, Str text);

/* Directives. */
NginxNode *scope_own(const Scope *s, const char *name);
NginxNode *scope_find(const Scope *s, const char *name); /* at the nearest level that has it */
NginxNode *node_same(const NginxNode *node);             /* the next of that name beside it */
bool node_is(const NginxNode *node, const char *name);
Str node_word(const NginxNode *node, size_t i); /* empty when there is none */
