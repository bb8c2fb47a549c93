/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of the gateway that stand alone: what is let pass in paths, what its own errors look like, how it ends. */
#include "gateway/conf_int.h"

#include "gateway/conf.h"

static const ConfKey paths_keys[] = {
	{ "encoded_slash", CONF_BOOL, AT(PathsConf, encoded_slash), .def = "off",
	  .help = "let %2F and %5C pass, kept as they are; else such requests are refused" },
	{ "double_slash", CONF_BOOL, AT(PathsConf, keep_double), .def = "off",
	  .help = "keep // apart from /; else merged" },
	{ "dot_parameters", CONF_BOOL, AT(PathsConf, semicolons), .def = "off",
	  .help = "let /..;x/ pass; else such requests are refused" },
};
const ConfTable paths_conf_table = {
	"paths", CONF_ROWS(PathsConf, paths_keys),
	.help = "what is let pass in paths, for servers that need it"
};

static const ConfKey errors_keys[] = {
	{ "html", CONF_PATH, AT(ErrorsConf, html),
	  .help = "a page for browsers, with {{status}}, {{title}}, {{detail}} and {{request_id}} in it" },
};
const ConfTable errors_conf_table = { "errors", CONF_ROWS(ErrorsConf, errors_keys),
	                              .shorthand = "html",
	                              .help = "what the gateway's own errors look like" };

static const ConfKey drain_keys[] = {
	{ "timeout", CONF_DURATION, AT(DrainConf, timeout_us), .def = "30s", .max = "24h",
	  .help = "how long requests may finish after SIGTERM" },
	{ "idle", CONF_DURATION, AT(DrainConf, idle_us), .def = "2s", .max = "10m",
	  .help = "how long an idle connection of HTTP/1 is kept for one more request",
	  .more = "It is answered with \"Connection: close\". A client may be sending it at the very moment: closing at once "
	          "would lose it." },
	{ "tunnels", CONF_DURATION, AT(DrainConf, tunnels_us), .def = "25s", .max = "168h",
	  .help = "how long WebSockets and other tunnels go on after SIGTERM",
	  .more = "Then WebSockets get a close frame (1001, going away), and five seconds to answer it." },
	{ "upgrade", CONF_DURATION, AT(DrainConf, upgrade_us), .def = "10m", .max = "168h",
	  .help = "the same when another process has taken over: `banyan serve --takeover`" },
};
const ConfTable drain_conf_table = { "drain", CONF_ROWS(DrainConf, drain_keys),
	                             .shorthand = "timeout",
	                             .help = "ending without dropping anything" };
