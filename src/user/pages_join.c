/* SPDX-License-Identifier: Apache-2.0
 *
 * Coming in, and back in: a new account, the code of a mail, another password.
 *
 * The pages say the same whether or not there is an account of that name; who owns it is told by mail. What proves that a code is used
 * by who asked for it (accounts.h) stays in a cookie of this browser; on another device the password is asked for instead. */
#include "base/arena.h"
#include "user/pages.h"

enum { PROOF_S = 86400 };

/* Else another host of the domain could put there the proof of a registration of its own. */
static const char *proof_cookie(const ServiceCall *c)
{
	return oidc_of(c)->secure ? "__Host-banyan_proof" : "banyan_proof";
}

static void keep_proof(ServiceCall *c, Str proof)
{
	service_say_header(c, "Set-Cookie",
	                   str_fmt(c->arena,
	                           "%s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
	                           proof_cookie(c), STR_ARG(proof), proof.len ? PROOF_S : 0,
	                           oidc_of(c)->secure ? "; Secure" : ""));
}

/* --- a new account -------------------------------------------------------------------------------------------------------- */

static Err *need_open(ServiceCall *c)
{
	if (oidc_of(c)->registration)
		return NULL;
	return err_new(c->arena, ERR_NOT_FOUND, "user.registration_closed",
	               "nobody can make an account here");
}

static Err *show_register(ServiceCall *c, const Form *form, unsigned status,
                          const FieldMistakes *wrong, const char *problem)
{
	Str next = pages_next(form), locales = form_get(form, "ui_locales");
	Page page = { .file = "register.html",
		      .title = "register.title",
		      .status = status,
		      .form = "register",
		      .locales = locales,
		      .data = pages_data(c) };

	page_put(page.data, "next", next);
	page_put(page.data, "name", form_get(form, "name"));
	page_put(page.data, "email", form_get(form, "email"));
	page_put(page.data, "to_login", pages_link(c, "/login", next, locales));
	page_put(page.data, "seconds", S("60"));
	if (wrong)
		TRY(pages_mistakes(c, &page, wrong));
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *register_get(ServiceCall *c)
{
	Form form;

	TRY(need_open(c));
	TRY(oidc_read_query(c, &form));
	return show_register(c, &form, 200, NULL, NULL);
}

static Err *register_post(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	FieldMistakes wrong = { .arena = c->arena };
	Registration r = { .asker = &asker };
	Str proof;
	Form form;
	Err *err;

	TRY(need_open(c));
	TRY(pages_form(c, "register", &form));
	r.email = form_get(&form, "email");
	r.password = form_get(&form, "password");
	r.name = form_get(&form, "name");
	r.locale = page_language_tag(
		page_language(form_get(&form, "ui_locales"), service_header(c, "Accept-Language")));
	err = account_register(oidc_of(c)->accounts, c->arena, &r, &wrong, &proof);
	if (err_is(err, "user.limited"))
		return show_register(c, &form, 429, NULL, "login.limited");
	TRY(err);
	if (wrong.count)
		return show_register(c, &form, 422, &wrong, NULL);
	keep_proof(c, proof);
	oidc_no_store(c);
	service_redirect(c, 303,
	                 pages_link(c, "/verify", pages_next(&form),
	                            form_get(&form, "ui_locales")));
	return NULL;
}

/* --- the code of a mail ------------------------------------------------------------------------------------------------- */

static Err *show_verify(ServiceCall *c, const Form *form, unsigned status, const char *problem)
{
	Page page = { .file = "verify.html",
		      .title = "verify.title",
		      .status = status,
		      .form = "verify",
		      .locales = form_get(form, "ui_locales"),
		      .data = pages_data(c) };
	bool here = service_cookie(c, proof_cookie(c)).len > 0 && !problem;

	page_put(page.data, "next", pages_next(form));
	page_put(page.data, "code", form_get(form, "code"));
	page_put(page.data, "other_device", here ? (Str){ 0 } : S("1"));
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *verify_get(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_query(c, &form));
	return show_verify(c, &form, 200, NULL);
}

static Err *verify_post(ServiceCall *c)
{
	User *user = NULL, *here;
	Session *session;
	Asker asker;
	Form form;

	TRY(pages_form(c, "verify", &form));
	TRY(pages_session(c, &session, &here));
	asker = pages_asker(c, here);
	TRY(account_verify(oidc_of(c)->accounts, c->arena,
	                   &(Verification){ .code = str_trim(form_get(&form, "code")),
	                                    .proof = service_cookie(c, proof_cookie(c)),
	                                    .password = form_get(&form, "password"),
	                                    .session_user = here ? here->id : (Uuid){ { 0 } },
	                                    .asker = &asker },
	                   &user));
	if (!user)
		return show_verify(c, &form, 422, "verify.refused");
	keep_proof(c, (Str){ 0 });
	return pages_message(c, 200, "verify.done.title", "verify.done.lead",
	                     str_z(c->arena,
	                           pages_link(c, "/login", pages_next(&form), (Str){ 0 })),
	                     "go.login", form_get(&form, "ui_locales"));
}

/* --- another password ----------------------------------------------------------------------------------------------------- */

static Err *recover_get(ServiceCall *c)
{
	Page page = { .file = "recover.html",
		      .title = "recover.title",
		      .form = "recover",
		      .data = pages_data(c) };
	Form form;

	TRY(oidc_read_query(c, &form));
	page.locales = form_get(&form, "ui_locales");
	page_put(page.data, "next", pages_next(&form));
	page_put(page.data, "login", form_get(&form, "login"));
	return pages_show(c, &page);
}

static Err *show_reset(ServiceCall *c, const Form *form, unsigned status,
                       const FieldMistakes *wrong, const char *problem)
{
	Page page = { .file = "reset.html",
		      .title = "reset.title",
		      .status = status,
		      .form = "reset",
		      .locales = form_get(form, "ui_locales"),
		      .data = pages_data(c) };

	page_put(page.data, "next", pages_next(form));
	page_put(page.data, "code", form_get(form, "code"));
	page_put(page.data, "seconds", S("60"));
	if (wrong)
		TRY(pages_mistakes(c, &page, wrong));
	TRY(pages_problem(c, &page, problem));
	return pages_show(c, &page);
}

static Err *recover_post(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	Form form;
	Err *err;

	TRY(pages_form(c, "recover", &form));
	err = account_recover(oidc_of(c)->accounts, c->arena, form_get(&form, "login"), &asker);
	if (err && !err_is(err, "user.limited")) /* the same page, for it says nothing */
		return err;
	return show_reset(c, &(Form){ 0 }, 200, NULL, NULL);
}

static Err *reset_get(ServiceCall *c)
{
	Form form;

	TRY(oidc_read_query(c, &form));
	return show_reset(c, &form, 200, NULL, NULL);
}

static Err *reset_post(ServiceCall *c)
{
	Asker asker = pages_asker(c, NULL);
	FieldMistakes wrong = { .arena = c->arena };
	User *user = NULL;
	Form form;
	Err *err;

	TRY(pages_form(c, "reset", &form));
	err = account_reset(oidc_of(c)->accounts, c->arena, str_trim(form_get(&form, "code")),
	                    form_get(&form, "password"), &asker, &wrong, &user);
	if (err_is(err, "user.limited"))
		return show_reset(c, &form, 429, NULL, "login.limited");
	TRY(err);
	if (wrong.count)
		return show_reset(c, &form, 422, &wrong, NULL);
	if (!user)
		return show_reset(c, &form, 422, NULL, "verify.refused");
	return pages_message(c, 200, "reset.done.title", "reset.done.lead", "/login", "go.login",
	                     form_get(&form, "ui_locales"));
}

/* What mails link to: {issuer}/mail/{purpose}?code={code}. */
static Err *mail_get(ServiceCall *c)
{
	Str purpose = service_part(c, "purpose");

	if (str_eq(purpose, S("recovery")) || str_eq(purpose, S("invitation")))
		return reset_get(c);
	return verify_get(c);
}

#define PAGE_GET .fail = pages_fail, .hidden = true, .tag = "pages"
#define PAGE_POST .kind = SERVICE_BODY_RAW, PAGE_GET

static const ServiceRoute routes[] = {
	{ "GET", "/register", register_get, PAGE_GET, .help = "the page for a new account" },
	{ "POST", "/register", register_post, PAGE_POST, .help = "what it posts" },
	{ "GET", "/verify", verify_get, PAGE_GET, .help = "the page for the code of a mail" },
	{ "POST", "/verify", verify_post, PAGE_POST, .help = "what it posts" },
	{ "GET", "/recover", recover_get, PAGE_GET, .help = "the page for a forgotten password" },
	{ "POST", "/recover", recover_post, PAGE_POST, .help = "what it posts" },
	{ "GET", "/reset", reset_get, PAGE_GET, .help = "the page for a new password" },
	{ "POST", "/reset", reset_post, PAGE_POST, .help = "what it posts" },
	{ "GET", "/mail/{purpose}", mail_get, PAGE_GET, .help = "what mails link to" },
};

const ServiceRoutes *pages_join_routes(void)
{
	static const ServiceRoutes all = SERVICE_ROUTES(routes);

	return &all;
}
