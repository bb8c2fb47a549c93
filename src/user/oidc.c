/* SPDX-License-Identifier: Apache-2.0
 *
 * The provider as a whole: its keys in the configuration, its start, its tables of routes. */
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"
#include "rt/work.h"
#include "user/pages.h"

enum { THEME_BYTES = 256 << 10, KEEP_S = 600 };

static Err *verify_issuer(Arena *a, Str text)
{
	if (!text.len ||
	    (oidc_redirect_is(text) && str_starts(text, S("http")) && str_find_char(text, '?') < 0))
		return NULL;
	return err_new(a, ERR_INVALID, "oidc.issuer",
	               "is not https://HOST (or http:// on a loopback address)");
}

static const ConfKey keys[] = {
	{ "issuer", CONF_STR, AT(OidcConf, issuer), .verify = verify_issuer, .max = "300",
	  .value = "URL", .help = "what the provider calls itself, and clients know it by",
	  .more = "Without it `public_url`. It stands in every token: a change of it logs everybody out of all clients." },
	{ "code", CONF_DURATION, AT(OidcConf, code_us), .def = "1m", .min = "5s", .max = "10m",
	  .help = "how long a client may take to redeem a code" },
	{ "access_token", CONF_DURATION, AT(OidcConf, access_us), .def = "10m", .min = "10s",
	  .max = "1h", .help = "how long an access token is good",
	  .more = "Services that check it themselves take a revoked one until then." },
	{ "id_token", CONF_DURATION, AT(OidcConf, id_us), .def = "10m", .min = "1m", .max = "1d",
	  .help = "how long an ID token is good" },
	{ "refresh_token", CONF_DURATION, AT(OidcConf, refresh_us), .def = "30d", .min = "10s",
	  .max = "365d",
	  .help = "how long a family of refresh tokens is good, however it is used" },
	{ "grace", CONF_DURATION, AT(OidcConf, grace_us), .def = "10s", .max = "5m",
	  .help = "within this time a used refresh token brings the same successor once more",
	  .more = "For clients whose answer was lost, or which send two requests at once. A successor that was used ends it." },
	{ "rotate", CONF_DURATION, AT(OidcConf, rotate_us), .def = "90d", .min = "1h",
	  .max = "3650d", .help = "how long each key signs" },
	{ "name", CONF_STR, AT(OidcConf, name), .def = "Banyan", .min = "1", .max = "80",
	  .help = "what pages call it" },
	{ "theme", CONF_PATH, AT(OidcConf, theme),
	  .help = "a CSS file for the pages, after their own" },
	{ "logo", CONF_PATH, AT(OidcConf, logo), .help = "a picture for the pages: .svg or .png" },
};

const ConfTable *oidc_conf_table(void)
{
	static const ConfTable table = { "openid", CONF_ROWS(OidcConf, keys),
		                         .help = "the OpenID Connect provider and its pages" };

	return &table;
}

typedef struct Theme {
	Arena *arena;
	Oidc *oidc;
	Err *err;
} Theme;

static void read_files(void *arg)
{
	Theme *theme = arg;
	Oidc *oidc = theme->oidc;
	const OidcConf *conf = &oidc->conf;

	if (conf->theme.len)
		theme->err = file_read(theme->arena, conf->theme, THEME_BYTES, &oidc->theme);
	if (conf->logo.len && !theme->err)
		theme->err = file_read(theme->arena, conf->logo, THEME_BYTES, &oidc->logo);
}

static Err *read_theme(Arena *a, Oidc *oidc)
{
	const OidcConf *conf = &oidc->conf;
	Theme theme = { .arena = a, .oidc = oidc };

	if (!conf->theme.len && !conf->logo.len)
		return NULL;
	TRY(work_run(read_files, &theme));
	TRY(theme.err);
	if (!conf->logo.len)
		return NULL;
	if (str_ends(conf->logo, S(".svg")))
		oidc->logo_type = S("image/svg+xml");
	else if (str_ends(conf->logo, S(".png")))
		oidc->logo_type = S("image/png");
	else
		return err_new(a, ERR_INVALID, "oidc.theme", "the logo is a .svg or a .png");
	return NULL;
}

OidcKeyPlan oidc_key_plan(const OidcConf *conf, const Seal *seal)
{
	int64_t longest_us = MAX(conf->access_us, conf->id_us);

	return (OidcKeyPlan){ seal, conf->rotate_us, longest_us + KEEP_S * US_PER_S };
}

Err *oidc_open(Arena *a, const OidcSetup *setup, Oidc **out)
{
	Oidc *oidc = ARENA_NEW(a, Oidc);
	const OidcConf *conf = setup->conf;
	OidcKeyPlan plan = oidc_key_plan(conf, setup->seal);

	*oidc = (Oidc){ .conf = *conf,
		        .issuer = conf->issuer.len ? conf->issuer : setup->home->public_url,
		        .home = setup->home,
		        .db = setup->home->db,
		        .accounts = setup->accounts,
		        .seal = setup->seal,
		        .registration = setup->registration,
		        .password_least = setup->password_least };
	if (str_ends(oidc->issuer, S("/")))
		oidc->issuer.len--;
	oidc->secure = !setup->home->development;
	TRY(read_theme(a, oidc));
	TRY(oidc_keys_open(a, oidc->db, &plan, &oidc->keys));
	*out = oidc;
	return NULL;
}

void oidc_close(Oidc *oidc)
{
	if (oidc)
		oidc_keys_close(oidc->keys);
}

/* In the transaction of its cause. */
static Err *heard(Db *tx, Arena *a, const AccountNews *news)
{
	int64_t now_us = time_utc_us();

	switch (news->event) {
	case ACCOUNT_SESSIONS_ENDED:
		return oidc_grants_end_of_session(tx, a, news->user, news->session, news->keep,
		                                  now_us);
	case ACCOUNT_ERASED:
		TRY(oidc_consents_forget(tx, a, news->user));
		return oidc_grants_end_of_user(tx, a, news->user, (Uuid){ { 0 } }, now_us);
	case ACCOUNT_PASSWORD_CHANGED: /* offline access too: somebody may have had the old one */
	case ACCOUNT_SUSPENDED:
		return oidc_grants_end_of_user(tx, a, news->user, news->keep, now_us);
	}
	return NULL;
}

void oidc_listen(void)
{
	accounts_hook(heard);
}

Err *oidc_tend(Oidc *oidc, Arena *a)
{
	int64_t now_us = time_utc_us();
	OidcKeyPlan plan = oidc_key_plan(&oidc->conf, oidc->seal);

	TRY(oidc_purge(oidc->db, a, now_us));
	return oidc_keys_tend(oidc->db, a, &plan, now_us);
}

void oidc_routes(ServiceRoutes out[OIDC_TABLES])
{
	const ServiceRoutes *const tables[] = {
		oidc_info_routes(),    oidc_authorize_routes(), oidc_token_routes(),
		oidc_inspect_routes(), oidc_logout_routes(),    pages_file_routes(),
		pages_login_routes(),  pages_join_routes(),     pages_account_routes(),
	};
	_Static_assert(COUNT(tables) == OIDC_TABLES, "a table of routes is left out");

	for (size_t i = 0; i < COUNT(tables); i++)
		out[i] = *tables[i];
}
