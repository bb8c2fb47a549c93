/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of carrying an nginx site over, in their order: servers and who asks for them, rules of one server, a route for
 * each rule, its action, then all that is inherited. nginx_carry.c goes through them. */
#pragma once
#include "gateway/nginx_carry_int.h"
#include "gateway/template.h"

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
/* Would that be a template on this route? Says why not. */
bool carry_checks_template(Place *p, NginxNode *node, TemplateKind kind, Str text);

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

void carry_sweep(Carry *c, NginxNode *node, bool location); /* says what nobody has looked at */
bool scope_has_unknown(const Scope *scope);  /* a directive of its own that is not known here */
bool scope_is_denied(const Scope *scope);    /* to everybody */
void carry_trust(Place *p, NginxNode *node); /* it believes a proxy before this one */
