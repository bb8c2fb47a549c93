/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of `admin: { openid: ... }`, and what they alone cannot say. A provider is asked over TLS unless it is on this
 * machine: whoever can change its answers decides who may move traffic. */
#include "gateway/conf_int.h"

#include "base/arena.h"

static const ConfKey role_keys[] = {
	{ "view", CONF_STR, AT_LIST(AdminOpenidRolesConf, view), .value = "VALUE",
	  .help = "who may look" },
	{ "operate", CONF_STR, AT_LIST(AdminOpenidRolesConf, operate), .value = "VALUE",
	  .help = "who may reload, drain and move traffic" },
	{ "approve", CONF_STR, AT_LIST(AdminOpenidRolesConf, approve), .value = "VALUE",
	  .help = "who may do everything" },
};
static const ConfTable role_table = { "openid roles", CONF_ROWS(AdminOpenidRolesConf, role_keys),
	                              .help = "values of the claim, by what they allow" };

static const ConfKey openid_keys[] = {
	{ "issuer", CONF_STR, AT(AdminOpenidConf, issuer), .required = true, .value = "URL",
	  .help = "the provider, as its metadata calls it" },
	{ "client_id", CONF_STR, AT(AdminOpenidConf, client_id), .required = true, .value = "ID",
	  .help = "what the provider calls this console",
	  .more = "Register http://ADDRESS/console/openid/back there, and http://ADDRESS/console/ for logging out." },
	{ "client_secret", CONF_STR, AT(AdminOpenidConf, client_secret), .secret = true,
	  .help = "and its secret; none: a public client" },
	{ "ca", CONF_PATH, AT(AdminOpenidConf, ca), .value = "FILE",
	  .help = "PEM of who signs the provider's certificate; none: the system's" },
	{ "scopes", CONF_STR, AT_LIST(AdminOpenidConf, scopes), .def = "openid, profile, email",
	  .value = "SCOPE", .help = "what is asked for; openid is among them" },
	{ "claim", CONF_STR, AT(AdminOpenidConf, claim), .def = "roles", .value = "CLAIM",
	  .help = "that says who may what: a list, or one value",
	  .more = "A dot leads into an object: realm_access.roles." },
	{ "roles", CONF_OBJECT, AT(AdminOpenidConf, roles), .table = &role_table, .required = true,
	  .help = "which of its values allow what" },
	{ "name", CONF_STR, AT(AdminOpenidConf, name), .def = "preferred_username",
	  .value = "CLAIM", .help = "what the journal calls them: preferred_username, email or sub",
	  .more = "Choose one that people cannot change themselves." },
	{ "end_session", CONF_BOOL, AT(AdminOpenidConf, end_session), .def = "on",
	  .help = "who logs out of the console logs out at the provider too" },
};

static bool is_of_this_machine(Str rest)
{
	static const Str ours[] = { S("127.0.0.1"), S("[::1]"), S("localhost") };

	for (size_t i = 0; i < COUNT(ours); i++) {
		Str after = str_sub(rest, ours[i].len, rest.len);

		if (str_starts(rest, ours[i]) &&
		    (!after.len || after.at[0] == ':' || after.at[0] == '/'))
			return true;
	}
	return false;
}

static void check_issuer(Conf *conf, const AdminOpenidConf *o)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	WebhookUrl url;
	const char *mistake = webhook_url_read(a, o->issuer, &url);

	if (mistake || str_find_char(o->issuer, '?') >= 0 || url.login.len)
		conf_mistake(conf, &o->issuer, "issuer: expected https://HOST[/PATH]");
	else if (!url.tls && !is_of_this_machine(str_sub(o->issuer, 7, o->issuer.len)))
		conf_mistake(conf, &o->issuer, "issuer: expected https:// beyond this machine");
	if (o->ca.len && !str_starts(o->issuer, S("https://")))
		conf_mistake(conf, &o->ca, "ca: is for https://");
}

static void check_openid(Conf *conf, void *object)
{
	static const Str names[] = { S("preferred_username"), S("email"), S("sub") };
	AdminOpenidConf *o = object;
	bool known = false, openid = false;

	if (o->issuer.len)
		check_issuer(conf, o);
	for (size_t i = 0; i < COUNT(names); i++)
		known |= str_eq(o->name, names[i]);
	if (!known)
		conf_mistake(conf, &o->name, "name: expected preferred_username, email or sub");
	for (size_t i = 0; i < o->scopes.count; i++)
		openid |= str_eq(o->scopes.at[i], S("openid"));
	if (!openid)
		conf_mistake(conf, &o->scopes, "scopes: openid must be among them");
	if (!o->roles.view.count && !o->roles.operate.count && !o->roles.approve.count)
		conf_mistake(
			conf, &o->roles,
			"roles: nobody could come in: name a value for view, operate or approve");
}

const ConfTable admin_openid_table = {
	"admin openid", CONF_ROWS(AdminOpenidConf, openid_keys), .check = check_openid,
	.help = "logging in to the console at a provider of OpenID Connect"
};
