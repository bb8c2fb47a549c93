/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages people see, and what they have in common: who sits there, the form that was really sent from here, the answer with
 * all that a browser must be told. */
#pragma once
#include "user/accounts.h"
#include "user/oidc_int.h"
#include "user/page_render.h"

/* The session of the browser, level 1 at least, and its user; both NULL: there is none. Parks. */
Err *pages_session(ServiceCall *c, Session **session, User **user) MUST_USE;
Str pages_session_token(ServiceCall *c);
void pages_set_session(ServiceCall *c, const Session *session, Str token); /* NULL: none any more */
Err *pages_log_out(ServiceCall *c) MUST_USE;
Asker pages_asker(ServiceCall *c, const User *user); /* NULL: nobody yet */

/* A body that one of our own pages has sent: its browser has our cookie, `csrf` comes of that and of `what`, and Origin, where it is
 * told, is ours. Fails with DENIED "page.form". */
Err *pages_form(ServiceCall *c, const char *what, Form *out) MUST_USE;
Str pages_csrf(ServiceCall *c, const char *what);

typedef struct Page {
	const char *file;  /* "login.html" */
	const char *title; /* key of a text */
	unsigned status;   /* 0: 200 */
	const char *form;  /* what its form is for: puts csrf; NULL: it has none */
	Str locales;       /* ui_locales, as they came */
	Str to; /* an address that its form may lead to in the end, of another origin; empty: none */
	PageData *data;
} Page;
/* Data with what every page has. */
PageData *pages_data(ServiceCall *c) RETURNS_NONNULL;
Str pages_say(ServiceCall *c, const Page *page,
              const char *key); /* a text in the reader's language */
/* Shown above the form: a text by its key (NULL: none), or all that is wrong with fields. */
Err *pages_problem(ServiceCall *c, const Page *page, const char *key) MUST_USE;
Err *pages_mistakes(ServiceCall *c, const Page *page, const FieldMistakes *wrong) MUST_USE;
Err *pages_show(ServiceCall *c, const Page *page) MUST_USE;
/* A title, a sentence, a link or none (link NULL). */
Err *pages_message(ServiceCall *c, unsigned status, const char *title, const char *text,
                   const char *link, const char *link_text, Str locales) MUST_USE;
/* As ServiceFail: an error as a page. */
Err *pages_fail(ServiceCall *c, const Err *err) MUST_USE;

/* `next` when it is an address of ours that a login may lead to; else the account's page. */
Str pages_next(const Form *form);
/* Where such an address leads in the end: the redirect_uri of a client who registered it. Parks. */
Err *pages_leads_to(ServiceCall *c, Str next, OidcClient **client, Str *to) MUST_USE;
/* /PATH?next=...&ui_locales=... */
Str pages_link(ServiceCall *c, const char *path, Str next, Str locales);

/* --- what endpoints of the provider show ---------------------------------------------------------------------------------- */

typedef struct PagesConsent {
	const OidcClient *client;
	const User *user;
	Str scope;
	Str request; /* the query that is posted back */
	Str redirect;
	Str locales;
} PagesConsent;
Err *pages_consent(ServiceCall *c, const PagesConsent *consent) MUST_USE;
/* client: who asks for it; empty: nobody we know. */
Err *pages_ask_logout(ServiceCall *c, Str client, Str request, Str to) MUST_USE;
Err *pages_logged_out(ServiceCall *c) MUST_USE;

const ServiceRoutes *pages_login_routes(void);
const ServiceRoutes *pages_join_routes(void);
const ServiceRoutes *pages_account_routes(void);
const ServiceRoutes *pages_file_routes(void);
