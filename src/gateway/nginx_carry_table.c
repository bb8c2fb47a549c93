/* SPDX-License-Identifier: Apache-2.0
 *
 * Every directive that is known here, by name: what becomes of it on a route, what becomes of it once for the whole, or what
 * is said of it. A row without any of these is settled by being itself: it is about nginx's own buffers and processes, or
 * is read where servers, locations and upstreams are. A directive without a row is said to be unknown, so nothing is
 * ever left out in silence. */
#include "gateway/nginx_carry_parts.h"

typedef struct Row {
	const char *name;
	unsigned acts; /* ActKind: on what routes */
	RouteHandler *on_route;
	NodeHandler *on_node;
	const char *harmless; /* with this value nothing is lost */
	const char *advice;
} Row;

#define PROXY ACT_PROXY
#define SERVED (ACT_PROXY | ACT_FILES)
#define ALL (ACT_PROXY | ACT_FILES | ACT_ANSWER | ACT_REDIRECT)

#define COMPRESS \
	"let the application compress (Django: GZipMiddleware), or put FILE.gz beside a file"
#define LIMIT "there are no limits of rates yet: limits.connections_per_address is the nearest"
#define CACHE "answers are not cached yet: let the application say Cache-Control"
#define CHANGE "answers are passed on as they are"
#define REQUEST "requests are passed on as they are"
#define TLS "TLS 1.2 and 1.3 with OpenSSL's own choice of ciphers"
#define CLIENT "clients are not asked for certificates yet"
#define SCRIPT "there are no scripts"

static const Row rows[] = {
	/* order matters among these: a name that is hidden and added is set */
	{ "proxy_set_header", PROXY, .on_route = on_set_header },
	{ "proxy_hide_header", PROXY, .on_route = on_hide_header },
	{ "expires", ALL, .on_route = on_expires },
	{ "add_header", ALL, .on_route = on_add_header },
	{ "allow", SERVED, .on_route = on_access },
	{ "deny", SERVED, .on_route = on_access },
	{ "auth_basic", SERVED, .on_route = on_closed, .harmless = "off" },
	{ "auth_request", SERVED, .on_route = on_closed, .harmless = "off" },
	{ "auth_jwt", SERVED, .on_route = on_closed, .harmless = "off" },
	{ "ssl_verify_client", SERVED, .on_route = on_closed, .harmless = "off" },
	{ "secure_link", SERVED, .on_route = on_closed },
	{ "limit_except", SERVED, .on_route = on_closed },
	{ "proxy_buffering", PROXY, .on_route = on_buffering },
	{ "proxy_request_buffering", PROXY, .on_route = on_request_buffering },
	{ "proxy_max_temp_file_size", PROXY, .on_route = on_temp_file },
	{ "proxy_next_upstream", PROXY, .on_route = on_next_upstream },
	{ "proxy_next_upstream_tries", PROXY, .on_route = on_tries },
	{ "proxy_redirect", PROXY, .on_route = on_redirects },
	{ "client_body_timeout", SERVED, .on_route = on_body_timeout },
	{ "send_timeout", SERVED, .on_route = on_send_timeout },
	{ "charset", ACT_FILES, .on_route = on_charset },
	{ "error_page", ALL, .on_route = on_error_page },
	/* once */
	{ "client_header_timeout", .on_node = on_header_timeout },
	{ "keepalive_timeout", .on_node = on_keepalive_timeout },
	{ "large_client_header_buffers", .on_node = on_header_buffers },
	{ "access_log", .on_node = on_access_log },
	{ "set_real_ip_from", .on_node = on_real_ip_from },
	{ "real_ip_header", .on_node = on_real_ip_header },
	{ "map", .on_node = on_map },
	{ "ssl_protocols", .on_node = on_protocols },
	{ "merge_slashes", .on_node = on_merge_slashes },
	{ "worker_shutdown_timeout", .on_node = on_shutdown },
	/* said */
	{ "gzip", .harmless = "off", .advice = COMPRESS },
	{ "brotli", .harmless = "off", .advice = COMPRESS },
	{ "zstd", .harmless = "off", .advice = COMPRESS },
	{ "gunzip", .harmless = "off", .advice = CHANGE },
	{ "limit_req", .advice = LIMIT },
	{ "limit_req_zone", .advice = LIMIT },
	{ "limit_conn", .advice = LIMIT },
	{ "limit_conn_zone", .advice = LIMIT },
	{ "limit_rate", .harmless = "0", .advice = LIMIT },
	{ "proxy_limit_rate", .harmless = "0", .advice = LIMIT },
	{ "proxy_cache", .harmless = "off", .advice = CACHE },
	{ "proxy_cache_path", .advice = CACHE },
	{ "proxy_cache_valid", .advice = CACHE },
	{ "proxy_cache_key", .advice = CACHE },
	{ "proxy_cache_use_stale", .harmless = "off", .advice = CACHE },
	{ "proxy_cache_lock", .harmless = "off", .advice = CACHE },
	{ "proxy_cache_bypass", .advice = CACHE },
	{ "proxy_no_cache", .advice = CACHE },
	{ "proxy_cache_methods", .advice = CACHE },
	{ "proxy_cache_min_uses", .advice = CACHE },
	{ "proxy_cache_background_update", .harmless = "off", .advice = CACHE },
	{ "proxy_cache_revalidate", .harmless = "off", .advice = CACHE },
	{ "proxy_store", .harmless = "off", .advice = CACHE },
	{ "uwsgi_cache", .harmless = "off", .advice = CACHE },
	{ "fastcgi_cache", .harmless = "off", .advice = CACHE },
	{ "sub_filter", .advice = CHANGE },
	{ "add_before_body", .advice = CHANGE },
	{ "add_after_body", .advice = CHANGE },
	{ "add_trailer", .advice = CHANGE },
	{ "ssi", .harmless = "off", .advice = CHANGE },
	{ "image_filter", .advice = CHANGE },
	{ "xslt_stylesheet", .advice = CHANGE },
	{ "proxy_cookie_domain", .harmless = "off", .advice = CHANGE },
	{ "proxy_cookie_path", .harmless = "off", .advice = CHANGE },
	{ "proxy_cookie_flags", .harmless = "off", .advice = CHANGE },
	{ "proxy_intercept_errors", .harmless = "off",
	  .advice = "the upstream's errors are passed on as they are" },
	{ "proxy_method", .advice = REQUEST },
	{ "proxy_set_body", .advice = REQUEST },
	{ "proxy_pass_request_headers", .harmless = "on", .advice = REQUEST },
	{ "proxy_pass_request_body", .harmless = "on", .advice = REQUEST },
	{ "proxy_bind",
	  .advice = "connections to servers come from the system's choice of address" },
	{ "proxy_ignore_client_abort", .harmless = "off",
	  .advice = "when the client leaves, what is done for it ends" },
	{ "proxy_next_upstream_timeout", .harmless = "0",
	  .advice = "timeouts: { request: ... } limits all attempts together" },
	{ "proxy_protocol", .harmless = "off",
	  .advice = "upstreams have proxy_protocol: v1 or v2" },
	{ "mirror", .harmless = "off", .advice = "requests are not doubled yet" },
	{ "autoindex", .harmless = "off", .advice = "folders are not listed" },
	{ "random_index", .harmless = "off", .advice = "folders are not listed" },
	{ "dav_methods", .harmless = "off", .advice = "files are read only" },
	{ "mp4", .advice = "ranges are served, points of time in films are not" },
	{ "flv", .advice = "ranges are served, points of time in films are not" },
	{ "empty_gif", .advice = "answer: { file: ... } can give it" },
	{ "etag", .harmless = "on", .advice = "files have an ETag" },
	{ "satisfy", .harmless = "all",
	  .advice = "who is on the list and who has a password are not told apart" },
	{ "auth_basic_user_file", .advice = "passwords are not asked for yet" },
	{ "log_format", .advice = "the access log is JSON, or access_log: { format: text }" },
	{ "ssl_ciphers", .advice = TLS },
	{ "ssl_conf_command", .advice = TLS },
	{ "ssl_early_data", .harmless = "off", .advice = "early data is not taken" },
	{ "ssl_stapling", .harmless = "off", .advice = "OCSP answers are not stapled" },
	{ "ssl_password_file", .advice = "keys are not encrypted" },
	{ "ssl_reject_handshake", .harmless = "off",
	  .advice = "an unknown name gets the first certificate" },
	{ "ssl_client_certificate", .advice = CLIENT },
	{ "ssl_crl", .advice = CLIENT },
	{ "ssl_verify_depth", .advice = CLIENT },
	{ "geo", .advice = "there are no variables" },
	{ "geoip_country", .advice = "there are no variables" },
	{ "geoip2", .advice = "there are no variables" },
	{ "split_clients", .advice = "there are no variables" },
	{ "userid", .harmless = "off", .advice = "there are no cookies of the gateway's own" },
	{ "valid_referers", .advice = "write a route with match: { headers: { Referer: ... } }" },
	{ "health_check", .advice = "write health: into the upstream" },
	{ "stream", .advice = "only HTTP is spoken" },
	{ "mail", .advice = "only HTTP is spoken" },
	{ "js_import", .advice = SCRIPT },
	{ "js_content", .advice = SCRIPT },
	{ "perl_modules", .advice = SCRIPT },
	{ "include", .advice = "see there" },
};

/* Read elsewhere, or about how nginx does its work. */
static const char *const settled[] = {
	"user",
	"worker_processes",
	"worker_rlimit_nofile",
	"worker_rlimit_core",
	"worker_priority",
	"worker_cpu_affinity",
	"pid",
	"daemon",
	"master_process",
	"error_log",
	"load_module",
	"pcre_jit",
	"timer_resolution",
	"thread_pool",
	"env",
	"lock_file",
	"working_directory",
	"debug_points",
	"ssl_engine",
	"events",
	"http",
	"server",
	"upstream",
	"location",
	"if",
	"set",
	"rewrite",
	"return",
	"break",
	"listen",
	"server_name",
	"ssl",
	"http2",
	"quic",
	"root",
	"alias",
	"index",
	"try_files",
	"internal",
	"proxy_pass",
	"grpc_pass",
	"uwsgi_pass",
	"fastcgi_pass",
	"scgi_pass",
	"memcached_pass",
	"stub_status",
	"ssl_certificate",
	"ssl_certificate_key",
	"types",
	"default_type",
	"charset_types",
	"override_charset",
	"source_charset",
	"charset_map",
	"proxy_connect_timeout",
	"proxy_read_timeout",
	"proxy_send_timeout",
	"grpc_connect_timeout",
	"grpc_read_timeout",
	"grpc_send_timeout",
	"uwsgi_connect_timeout",
	"uwsgi_read_timeout",
	"uwsgi_send_timeout",
	"client_max_body_size",
	"proxy_ssl_verify",
	"proxy_ssl_name",
	"proxy_ssl_trusted_certificate",
	"proxy_ssl_certificate",
	"proxy_ssl_certificate_key",
	"proxy_ssl_server_name",
	"proxy_ssl_verify_depth",
	"proxy_ssl_protocols",
	"proxy_ssl_ciphers",
	"proxy_ssl_session_reuse",
	"proxy_ssl_crl",
	"real_ip_recursive",
	"proxy_http_version",
	"proxy_pass_header",
	"proxy_ignore_headers",
	"proxy_buffer_size",
	"proxy_buffers",
	"proxy_busy_buffers_size",
	"proxy_temp_path",
	"fastcgi_temp_path",
	"uwsgi_temp_path",
	"scgi_temp_path",
	"proxy_temp_file_write_size",
	"proxy_headers_hash_max_size",
	"proxy_headers_hash_bucket_size",
	"proxy_socket_keepalive",
	"proxy_send_lowat",
	"proxy_force_ranges",
	"uwsgi_param",
	"uwsgi_buffers",
	"uwsgi_buffer_size",
	"uwsgi_busy_buffers_size",
	"uwsgi_buffering",
	"uwsgi_request_buffering",
	"fastcgi_param",
	"fastcgi_index",
	"fastcgi_split_path_info",
	"fastcgi_buffers",
	"fastcgi_buffer_size",
	"fastcgi_read_timeout",
	"fastcgi_connect_timeout",
	"fastcgi_send_timeout",
	"fastcgi_intercept_errors",
	"scgi_param",
	"grpc_set_header",
	"grpc_ssl_verify",
	"grpc_buffer_size",
	"gzip_types",
	"gzip_vary",
	"gzip_proxied",
	"gzip_comp_level",
	"gzip_min_length",
	"gzip_disable",
	"gzip_buffers",
	"gzip_http_version",
	"gzip_static",
	"brotli_static",
	"brotli_types",
	"brotli_comp_level",
	"brotli_min_length",
	"gunzip_buffers",
	"sub_filter_once",
	"sub_filter_types",
	"sub_filter_last_modified",
	"limit_req_status",
	"limit_req_log_level",
	"limit_req_dry_run",
	"limit_conn_status",
	"limit_conn_log_level",
	"limit_rate_after",
	"server_tokens",
	"sendfile",
	"sendfile_max_chunk",
	"tcp_nopush",
	"tcp_nodelay",
	"aio",
	"aio_write",
	"directio",
	"directio_alignment",
	"read_ahead",
	"output_buffers",
	"postpone_output",
	"reset_timedout_connection",
	"lingering_close",
	"lingering_time",
	"lingering_timeout",
	"types_hash_max_size",
	"types_hash_bucket_size",
	"server_names_hash_max_size",
	"server_names_hash_bucket_size",
	"variables_hash_max_size",
	"variables_hash_bucket_size",
	"map_hash_max_size",
	"map_hash_bucket_size",
	"client_body_buffer_size",
	"client_header_buffer_size",
	"client_body_temp_path",
	"client_body_in_single_buffer",
	"client_body_in_file_only",
	"connection_pool_size",
	"request_pool_size",
	"open_file_cache",
	"open_file_cache_valid",
	"open_file_cache_min_uses",
	"open_file_cache_errors",
	"open_log_file_cache",
	"msie_padding",
	"msie_refresh",
	"recursive_error_pages",
	"port_in_redirect",
	"absolute_redirect",
	"server_name_in_redirect",
	"log_not_found",
	"log_subrequest",
	"rewrite_log",
	"uninitialized_variable_warn",
	"if_modified_since",
	"max_ranges",
	"chunked_transfer_encoding",
	"keepalive_requests",
	"keepalive_disable",
	"keepalive_time",
	"underscores_in_headers",
	"ignore_invalid_headers",
	"disable_symlinks",
	"resolver",
	"resolver_timeout",
	"http2_max_concurrent_streams",
	"http2_max_field_size",
	"http2_max_header_size",
	"http2_max_requests",
	"http2_recv_buffer_size",
	"http2_idle_timeout",
	"http2_recv_timeout",
	"http2_chunk_size",
	"http2_body_preread_size",
	"http2_push",
	"http2_push_preload",
	"ssl_session_cache",
	"ssl_session_timeout",
	"ssl_session_tickets",
	"ssl_session_ticket_key",
	"ssl_prefer_server_ciphers",
	"ssl_ecdh_curve",
	"ssl_buffer_size",
	"ssl_dhparam",
	"ssl_stapling_verify",
	"ssl_stapling_file",
	"ssl_stapling_responder",
	"ssl_trusted_certificate",
	"autoindex_exact_size",
	"autoindex_format",
	"autoindex_localtime",
	"ssi_types",
	"status_zone",
	"auth_request_set",
	"image_filter_buffer",
	"xslt_types",
};

static const Row *find_row(Str name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_eq(name, str_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

static bool is_settled(Str name)
{
	for (size_t i = 0; i < COUNT(settled); i++)
		if (str_eq(name, str_of(settled[i])))
			return true;
	return false;
}

static bool is_harmless(const Row *row, const NginxNode *node)
{
	return row->harmless && str_eq(node_word(node, 0), str_of(row->harmless));
}

bool scope_has_unknown(const Scope *scope)
{
	for (const NginxNode *node = scope->first; node; node = node->next)
		if (!find_row(node->name) && !is_settled(node->name))
			return true;
	return false;
}

static void look_at_node(Carry *c, NginxNode *node, bool location)
{
	const Row *row = find_row(node->name);

	if (node->fault.len)
		carry_say(c, c->at, node, "%.*s", STR_ARG(node->fault));
	else if (row && row->on_node)
		row->on_node(c, node, location);
	else if (row && row->advice && !is_harmless(row, node))
		carry_say(c, c->at, node, "%s", row->advice);
	else if (!row && !is_settled(node->name))
		carry_say(c, c->at, node, "it is not known here");
}

/* What stands in a location is said at its route. */
static void look_at_own(Place *p)
{
	Carry *c = p->c;

	if (!p->scope->node || !node_is(p->scope->node, "location"))
		return;
	c->at = p->route;
	for (NginxNode *node = p->scope->first; node; node = node->next)
		look_at_node(c, node, true);
	c->at = &c->out->top;
}

void carry_table(Place *p)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		NginxNode *node = rows[i].acts & p->act ? scope_find(p->scope, rows[i].name) : NULL;

		if (!node)
			continue;
		if (!is_harmless(&rows[i], node))
			rows[i].on_route(p, node);
		node->fate = MAX(node->fate, (uint8_t)FATE_TAKEN);
	}
	look_at_own(p);
}

/* What is left when servers and locations have been carried. */

/* Lists of values, not of directives. */
static bool is_list(const NginxNode *node)
{
	static const Str lists[] = { S("types"),   S("map"),           S("geo"),
		                     S("events"),  S("split_clients"), S("charset_map"),
		                     S("upstream") };

	for (size_t i = 0; i < COUNT(lists); i++)
		if (str_eq(node->name, lists[i]))
			return true;
	return false;
}

void carry_sweep(Carry *c, NginxNode *node, bool location)
{
	for (; node; node = node->next) {
		bool place = node_is(node, "location") || node_is(node, "server");

		c->out->directives++;
		look_at_node(c, node, location);
		if (node->block && node->fate != FATE_SAID && !is_list(node) &&
		    (!place || node->fate == FATE_TAKEN))
			carry_sweep(c, node->first, location || node_is(node, "location"));
	}
}
