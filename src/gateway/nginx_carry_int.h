/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files that carry an nginx site over: nginx_carry.c (the walk), _listen (addresses, names, certificates),
 * _rules (which location takes what), _action (what it does), _upstream (servers), _table (all other directives), _text
 * (variables, sizes, expressions), _model (the result) and _put (writing it). */
#pragma once
#include "gateway/conf_int.h"
#include "gateway/nginx_carry.h"
#include "gateway/template.h"

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
	bool plain, tls;                 /* has listens of that kind */
	bool plain_default, tls_default; /* what no other takes is its */
	Server *next;
};

typedef enum RuleKind { RULE_EXACT, RULE_PREFIX, RULE_REGEX } RuleKind;

/* What takes a path, in the order in which nginx looks; the first wins. */
typedef struct Rule Rule;
struct Rule {
	RuleKind kind;
	Str text; /* path, or expression */
	bool nocase;
	bool firm;       /* ^~ */
	Str within;      /* REGEX: and only below this path */
	Scope scope;     /* what is done: a location, or the server */
	NginxNode *step; /* and before it: the rewrite or return that this rule is of */
	unsigned rank;   /* the order: of kinds, */
	size_t weight;   /* then of lengths, */
	size_t number;   /* then of the file */
	bool as_regex;   /* how it is written */
	bool dead;       /* others take all it could */
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
	Str regex;          /* as it is written, groups named */
	bool grouped;
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
bool carry_checks_template(Place *p, NginxNode *node, TemplateKind kind, Str text);

/* Directives. */
NginxNode *scope_own(const Scope *s, const char *name);
NginxNode *scope_find(const Scope *s, const char *name); /* at the nearest level that has it */
NginxNode *node_same(const NginxNode *node);             /* the next of that name beside it */
bool node_is(const NginxNode *node, const char *name);
Str node_word(const NginxNode *node, size_t i); /* empty when there is none */

/* nginx_carry_text.c: sizes and times as nginx writes them, as ours. False: it is none. */
bool text_read_time(Str text, int64_t *us);
bool text_read_size(Str text, uint64_t *bytes);
Str text_time(Arena *a, int64_t us, int64_t min_us, int64_t max_us); /* within these */
Str text_size(Arena *a, uint64_t bytes);
bool text_is_url(Str text); /* http:// or https:// or $scheme:// */
/* A path as nginx compares it, in the canonical form that routes are compared with (http/url.h). False: no literal part of
 * a pattern can say it. */
bool text_path(Arena *a, Str path, Str *out);
/* Letters for a name of a route or upstream: "/static/css/" gives "static-css"; `none` when nothing is left. */
Str text_name(Arena *a, Str text, Str none);
Str text_join(Arena *a, Str folder,
              Str path); /* one slash between them; "/x/." and "//" are not cleaned */

/* Has it a group of this name or number? */
bool regex_has_group(Arena *a, Str expression, Str name);
/* What every path that matches begins with; empty: nothing is known. */
Str regex_head(Arena *a, Str expression);
/* "^/x/(.*)$" and its like: *head "/x/", *tail: there is something after it. False: another shape. */
bool regex_is_plain(Arena *a, Str expression, Str *head, bool *tail);
bool regex_is_all(Str expression); /* takes every path; is plain too */
Str regex_quote(Arena *a, Str text);
bool regex_takes(Str expression, bool nocase, Str path); /* false too when it is no expression */

/* A text with variables as a template of ours; groups of p->regex may stand in it. False: *bad is the variable that
 * cannot be said. */
bool template_of(Place *p, Str text, Str *out, Str *bad);
/* The same of a URL: a client's query at its end is taken off and told in *query. */
bool template_of_url(Place *p, Str text, Str *out, bool *query, Str *bad);
bool text_has_variable(Str text);
Str template_text(Arena *a, Str text); /* a text without variables: its braces doubled */

/* nginx_carry_listen.c */
typedef struct Listen Listen;
struct Listen {
	NginxNode *node;
	Str address; /* as ours */
	bool tls, http2, proxy_protocol, first;
	Listen *next;
};

typedef struct VhostList {
	Vhost *at;
	size_t count;
} VhostList;

/* All servers of the http block, with their names and addresses; the listeners of the result. */
void carry_servers(Carry *c);
/* Who answers whom. */
VhostList carry_vhosts(Carry *c);

/* nginx_carry_steps.c: the directives of nginx's rewrite phase. */
enum { CARRY_STEPS = 64 };
typedef struct Steps {
	NginxNode *at[CARRY_STEPS]; /* rewrite and return, in their order */
	size_t count;
	Constant *constants;
	NginxNode *missing; /* what stands in `if (!-f $request_filename)` */
} Steps;

/* What of a server or location this kind of request comes through; what cannot be decided is said at `block`, if any. */
void carry_steps(Carry *c, const Vhost *v, const Scope *scope, CarryBlock *block, Steps *out);
bool step_sends(const NginxNode *rewrite);            /* to another address */
Str step_asked_name(Arena *a, const NginxNode *node); /* of `if ($host = NAME)`; empty: another */

/* nginx_carry_route.c */
Str carry_pattern(Place *p); /* match.path, as far as it is known */

/* nginx_carry_rules.c */
Rules carry_rules(Carry *c, const Vhost *v);
const Rule *rule_taking(const Rules *rules, Str path);
/* Routes of one virtual server. */
void carry_vhost(Carry *c, const Vhost *v);

/* `rewrite ^/p/(.*)$ /x/$1 break` in location /p/: the same as a path after proxy_pass, which carry_proxy sees to. */
bool rule_is_mapping(Carry *c, const Rule *location, const NginxNode *rewrite);

/* nginx_carry_action.c: fills p->route from p->scope. */
void carry_action(Place *p);
void carry_undone(Place *p);              /* a route that answers 501 */
void carry_not_found(Place *p);           /* or 404, with the site's own page */
Str carry_type(const Place *p, Str path); /* Content-Type by the path's ending */
bool scope_is_proxied(const Scope *scope);

/* nginx_carry_files.c */
void carry_files(Place *p);
void carry_one_file(Place *p, Str file);                 /* an exact path is this file */
void carry_rewritten_file(Place *p, const Rule *target); /* p->rewritten, in p->scope */
void carry_fallback(Place *p, Str path); /* of files: what is given for what is not there */
Str carry_file(Place *p, Str path);      /* the file that a path of this server is; empty: none */
void carry_sendfile(Place *p);           /* files that the upstream may name */

/* nginx_carry_proxy.c: proxy_pass and its like. */
void carry_proxy(Place *p, NginxNode *handler);

/* nginx_carry_table.c: all directives that locations inherit, for p->act. */
void carry_table(Place *p);

/* nginx_carry_upstream.c */
typedef struct ProxyTarget {
	Str authority; /* "backend", "127.0.0.1:8000", "unix:/run/x" */
	Str path;      /* at == NULL: none */
	bool tls, h2;
} ProxyTarget;

bool proxy_target_split(Str text, ProxyTarget *out);
Str proxy_target_address(Arena *a, const ProxyTarget *target); /* with its port */
bool proxy_target_is_sound(const Carry *c,
                           const ProxyTarget *target); /* an address, or a group of some */
/* Finds or makes p->upstream, for p->pass. */
void carry_upstream(Place *p, const ProxyTarget *target);

/* The rows' functions: of the first directive of its name at the level that counts for a route ... */
typedef void RouteHandler(Place *p, NginxNode *node);
RouteHandler on_set_header, on_hide_header, on_add_header, on_expires; /* nginx_carry_headers.c */
RouteHandler on_access, on_closed;                                     /* nginx_carry_access.c */
RouteHandler on_buffering, on_request_buffering, on_temp_file, on_next_upstream, on_tries,
	on_body_timeout, on_send_timeout, on_redirects, on_charset, on_error_page;
/* ... and of each directive, once. location: does it stand in one? */
typedef void NodeHandler(Carry *c, NginxNode *node, bool location);
NodeHandler on_header_timeout, on_keepalive_timeout, on_header_buffers, on_access_log,
	on_real_ip_from, on_real_ip_header, on_map, on_protocols, on_merge_slashes, on_shutdown;

void carry_sweep(Carry *c, NginxNode *first, bool location); /* says what nobody has looked at */
bool scope_has_unknown(const Scope *scope);  /* a directive of its own that is not known here */
bool scope_is_denied(const Scope *scope);    /* to everybody */
void carry_trust(Place *p, NginxNode *node); /* it believes a proxy before this one */
