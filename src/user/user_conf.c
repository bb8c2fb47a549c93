/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of the user service. */
#include "user/user_conf.h"

#include "auth/seal.h"
#include "http/message.h"

#define THROTTLE_ROWS(free_, forget_, delay_, most_) \
	{ "tries",        CONF_UINT,        AT(ThrottleRule, free), \
	  .def = (free_), .max = "1000000", .help = "so many before anybody waits; 0: no limit" }, \
		{ "forget", \
		  CONF_DURATION, \
		  AT(ThrottleRule, forget_us), \
		  .def = (forget_), \
		  .min = "1ms", \
		  .max = "7d", \
		  .help = "one of them is forgotten in this time" }, \
		{ "delay", \
		  CONF_DURATION, \
		  AT(ThrottleRule, delay_us), \
		  .def = (delay_), \
		  .max = "1h", \
		  .help = "wait after the first above that, doubled with each; 0: until one is forgotten" }, \
		{ "most",         CONF_DURATION, AT(ThrottleRule, most_us), \
		  .def = (most_), .max = "7d",   .help = "the longest such wait" },

static const ConfKey account_keys[] = { THROTTLE_ROWS("5", "15m", "1s", "15m") };
static const ConfKey address_keys[] = { THROTTLE_ROWS("30", "20s", "0", "0") };
static const ConfKey network_keys[] = { THROTTLE_ROWS("300", "2s", "0", "0") };
static const ConfKey all_keys[] = { THROTTLE_ROWS("3000", "100ms", "0", "0") };

static const ConfTable account_table = {
	"tries at one account", CONF_ROWS(ThrottleRule, account_keys),
	.help = "a person who mistypes waits seconds, one who guesses has a few tries an hour"
};
static const ConfTable address_table = { "tries from one address",
	                                 CONF_ROWS(ThrottleRule, address_keys),
	                                 .help = "of the client" };
static const ConfTable network_table = {
	"tries from one network", CONF_ROWS(ThrottleRule, network_keys),
	.help = "the /24 of an IPv4 address, the /48 of an IPv6 address"
};
static const ConfTable all_table = {
	"tries from everywhere", CONF_ROWS(ThrottleRule, all_keys),
	.help = "for who comes with many addresses and uses each name once"
};

static const ConfKey throttle_keys[] = {
	{ "account", CONF_OBJECT, AT(ThrottleConf, account), .table = &account_table,
	  .help = "tries at one account" },
	{ "address", CONF_OBJECT, AT(ThrottleConf, address), .table = &address_table,
	  .help = "tries from one address" },
	{ "network", CONF_OBJECT, AT(ThrottleConf, network), .table = &network_table,
	  .help = "tries from one network" },
	{ "all", CONF_OBJECT, AT(ThrottleConf, all), .table = &all_table,
	  .help = "tries from everywhere" },
};
static const ConfTable throttle_table = {
	"throttle", CONF_ROWS(ThrottleConf, throttle_keys),
	.help = "how often passwords, codes and mails may be tried; those that succeed do not count"
};

static const ConfKey session_keys[] = {
	{ "idle", CONF_DURATION, AT(SessionRule, idle_us), .def = "14d", .min = "1m", .max = "365d",
	  .help = "a session ends that was not used so long" },
	{ "longest", CONF_DURATION, AT(SessionRule, most_us), .def = "90d", .min = "1m",
	  .max = "3650d", .help = "and each ends after this time" },
	{ "half", CONF_DURATION, AT(SessionRule, half_us), .def = "10m", .min = "10s", .max = "1h",
	  .help = "how long a login waits for its second factor" },
	{ "fresh", CONF_DURATION, AT(SessionRule, fresh_us), .def = "10m", .min = "10s",
	  .max = "1d",
	  .help = "what changes how one logs in wants a password or code given within this time" },
};
static const ConfTable session_table = { "sessions", CONF_ROWS(SessionRule, session_keys),
	                                 .help = "how long somebody stays logged in" };

static const ConfKey cookie_keys[] = {
	{ "name", CONF_STR, AT(CookieConf, name), .def = "__Host-banyan", .min = "1", .max = "64",
	  .help = "of the session's cookie",
	  .more = "With services.development a prefix __Host- or __Secure- is left out, for browsers take such a cookie over https only." },
	{ "domain", CONF_STR, AT(CookieConf, domain), .max = "253",
	  .help = "for which hosts; empty: the one that set it",
	  .more = "Not with a name that begins with __Host-." },
};
/* What browsers ask of such names (RFC 6265bis 4.1.3). */
static void check_cookie(Conf *conf, void *object)
{
	const CookieConf *cookie = object;

	if (!http_is_token(cookie->name))
		conf_mistake(conf, &cookie->name,
		             "name: a cookie's name has letters, digits and few others");
	else if (str_starts(cookie->name, S("__Host-")) && cookie->domain.len)
		conf_mistake(conf, &cookie->domain,
		             "domain: not with a name that begins with __Host-");
}

static const ConfTable cookie_table = {
	"cookie", CONF_ROWS(CookieConf, cookie_keys), .shorthand = "name", .check = check_cookie,
	.help = "HttpOnly, SameSite=Lax and, but for development, Secure"
};

static Err *verify_link(Arena *a, Str text)
{
	if (!text.len || str_find(text, S("{code}")) >= 0)
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "has no {code}, so nobody could use it");
}

static const ConfKey code_keys[] = {
	{ "registration", CONF_DURATION, AT(CodeConf, registration_us), .def = "1d", .min = "1m",
	  .max = "30d", .help = "to verify the address of a new account" },
	{ "email", CONF_DURATION, AT(CodeConf, email_us), .def = "1d", .min = "1m", .max = "30d",
	  .help = "to verify another address" },
	{ "recovery", CONF_DURATION, AT(CodeConf, recovery_us), .def = "30m", .min = "1m",
	  .max = "1d", .help = "to set a new password" },
	{ "invitation", CONF_DURATION, AT(CodeConf, invitation_us), .def = "7d", .min = "1m",
	  .max = "90d",
	  .help = "to set the first password of an account that an administrator has made" },
	{ "link", CONF_STR, AT(CodeConf, link), .verify = verify_link, .max = "500",
	  .help = "what a mail links to; {purpose} and {code} are put in",
	  .more = "Without it mails have the code only." },
};
static const ConfTable code_table = {
	"codes", CONF_ROWS(CodeConf, code_keys),
	.help = "how long codes are good that go out by mail, each once"
};

static Err *verify_key(Arena *a, Str text)
{
	return seal_verify_row(a, text);
}

static Err *verify_token(Arena *a, Str text)
{
	Str name, scopes, unknown;
	ptrdiff_t last = str_rfind_char(text, ':');

	if (last > 0 && text.len - (size_t)last - 1 == 64) {
		scopes = str_sub(text, 0, (size_t)last);
		if (str_split(&scopes, ':', &name) && role_is(name) &&
		    scopes_known(scopes, &unknown))
			return NULL;
	}
	return err_new(a, ERR_INVALID, "user.token_row",
	               "is not NAME:SCOPES:SHA256, as `banyan user token` prints it");
}

static const ConfKey user_keys[] = {
	{ "registration", CONF_BOOL, AT(UserConf, registration), .def = "true",
	  .help = "may anybody make an account" },
	{ "password", CONF_OBJECT, AT(UserConf, password), .table = NULL /* user_conf_table() */,
	  .help = "how passwords are hashed, and how many at a time" },
	{ "password_least", CONF_UINT, AT(UserConf, rule.least), .def = "8", .min = "1",
	  .max = "64", .help = "a new password has so many characters" },
	{ "password_most", CONF_BYTES, AT(UserConf, rule.most), .def = "1KiB", .min = "64",
	  .max = "4KiB", .help = "and no more than so many bytes" },
	{ "breached", CONF_PATH, AT(UserConf, breached),
	  .help = "a list of passwords that everyone knows, as `banyan user breached` makes it" },
	{ "rehash", CONF_STR, AT_LIST(UserConf, rehash), .def = "native", .max = "64",
	  .help = "sources whose passwords are hashed anew at a login, when theirs is weaker",
	  .more = "Not those of a system that still reads or writes its accounts: Django derives its sessions from the stored string, so another string logs its users out there." },
	{ "sessions", CONF_OBJECT, AT(UserConf, sessions), .table = &session_table,
	  .help = "how long somebody stays logged in" },
	{ "cookie", CONF_OBJECT, AT(UserConf, cookie), .table = &cookie_table,
	  .help = "of a session in a browser" },
	{ "throttle", CONF_OBJECT, AT(UserConf, throttle), .table = &throttle_table,
	  .help = "how often passwords, codes and mails may be tried" },
	{ "codes", CONF_OBJECT, AT(UserConf, codes), .table = &code_table, .help = "of mails" },
	{ "openid", CONF_OBJECT, AT(UserConf, openid), .table = NULL /* oidc_conf_table() */,
	  .help = "the OpenID Connect provider and its pages" },
	{ "issuer_name", CONF_STR, AT(UserConf, issuer), .def = "Banyan", .min = "1", .max = "64",
	  .help = "what an authenticator shows beside the account" },
	{ "profile", CONF_PATH, AT(UserConf, profile),
	  .help = "a JSON Schema that custom fields keep to",
	  .more = "docs/guide/users.md says which words it may use." },
	{ "keys", CONF_STR, AT_LIST(UserConf, keys), .secret = true, .verify = verify_key,
	  .max = "200",
	  .help = "what secrets in the database are closed with, as NAME:KEY; the first closes",
	  .more = "Without any, that of key_file. All processes of the service have the same." },
	{ "key_file", CONF_PATH, AT(UserConf, key_file), .def = "data/user.key",
	  .help = "has such a key where `keys` has none; made when there is none" },
	{ "tokens", CONF_STR, AT_LIST(UserConf, tokens), .verify = verify_token, .max = "500",
	  .help = "of programs that ask, as `banyan user token --row` prints them" },
};

const ConfTable *user_conf_table(void)
{
	static ConfKey keys[COUNT(user_keys)];
	static const ConfTable table = { "user", .size = sizeof(UserConf), .keys = keys,
		                         .count = COUNT(keys),
		                         .help = "accounts, logins and who may ask for them" };

	if (!keys[0].name) {
		__builtin_memcpy(keys, user_keys, sizeof(keys));
		for (size_t i = 0; i < COUNT(keys); i++)
			if (keys[i].type == CONF_OBJECT && !keys[i].table)
				keys[i].table = str_eq(str_of(keys[i].name), S("openid"))
				                        ? oidc_conf_table()
				                        : password_conf_table();
	}
	return &table;
}
