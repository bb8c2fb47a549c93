/* SPDX-License-Identifier: Apache-2.0
 *
 * The two steps of a log-in. The first makes four random words: `state` comes back with the browser, `nonce` inside of the ID
 * token, the verifier proves to the provider that who redeems the code is who asked for it, and the proof stays in the page's
 * storage. All four lie sealed in a cookie, so nothing is kept here that others could fill up. A cookie goes to every port
 * of this host, and each of those may plant one: only a page of this very origin has the proof that belongs to it.
 *
 * The second looks at what came back, in the order in which it can be trusted: is it an answer to this browser's question, is it this
 * provider's, then the code is redeemed, and only what is signed says who came. */
#include "console/openid.h"

#include "auth/b64.h"
#include "auth/seal.h"
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "console/openid_claims.h"
#include "console/openid_provider.h"
#include "http/url.h"

#include <openssl/evp.h>
#include <pthread.h>

enum { WORD_BYTES = 32, LEAVE_BYTES = 6 << 10 };

static const Str context = S("console.openid");

static Err stale = ERR_STATIC(
	DENIED, "openid.stale",
	"this log-in was begun too long ago, in another window, or before the gateway was started again: begin once more");
static Err other_state =
	ERR_STATIC(DENIED, "openid.state",
                   "what the provider sent you back with answers another log-in: begin once more");
static Err twice =
	ERR_STATIC(INVALID, "openid.query", "what the provider sent you back with is not in order");

/* --- what the browser keeps --------------------------------------------------------------------------------------------- */

typedef struct Words {
	Str state, nonce, verifier, proof;
} Words;

static struct {
	pthread_once_t once;
	Arena *arena;
	Seal *seal;
	Err *err;
} keeper = { .once = PTHREAD_ONCE_INIT };

/* A key of this process: a log-in does not outlive it, as sessions do not. */
static void make_seal(void)
{
	Str row;

	keeper.arena = arena_new(0);
	row = seal_make_row(keeper.arena, S("login"));
	keeper.err = seal_new(keeper.arena, &row, 1, &keeper.seal);
}

static Err *seal_get(Seal **out)
{
	pthread_once(&keeper.once, make_seal);
	TRY(keeper.err);
	*out = keeper.seal;
	return NULL;
}

static Str random_word(Arena *a)
{
	char bytes[WORD_BYTES];

	rand_bytes(bytes, sizeof bytes);
	return b64url(a, (Str){ bytes, sizeof bytes });
}

static Err *words_close(Arena *a, const Words *w, int64_t now_us, Str *sealed)
{
	Seal *seal;

	TRY(seal_get(&seal));
	return seal_close(seal, a, context,
	                  str_fmt(a, "%.*s.%.*s.%.*s.%.*s.%lld", STR_ARG(w->state),
	                          STR_ARG(w->nonce), STR_ARG(w->verifier), STR_ARG(w->proof),
	                          (long long)now_us),
	                  sealed);
}

static bool same(Str x, Str y)
{
	unsigned char diff = x.len != y.len || !x.len;

	for (size_t i = 0; i < MIN(x.len, y.len); i++)
		diff |= (unsigned char)(x.at[i] ^ y.at[i]);
	return !diff;
}

static Err *words_open(Arena *a, const OpenidBack *back, int64_t now_us, Words *out)
{
	Str plain, rest, time;
	int64_t begun_us;
	Seal *seal;

	TRY(seal_get(&seal));
	if (!back->sealed.len || seal_open(seal, a, context, back->sealed, &plain))
		return &stale;
	rest = plain;
	if (!str_split(&rest, '.', &out->state) || !str_split(&rest, '.', &out->nonce) ||
	    !str_split(&rest, '.', &out->verifier) || !str_split(&rest, '.', &out->proof) ||
	    !str_split(&rest, '.', &time) || !str_to_i64(time, &begun_us))
		return &stale;
	if (now_us - begun_us > OPENID_LOGIN_S * US_PER_S || !same(out->proof, back->proof))
		return &stale;
	return NULL;
}

/* --- there -------------------------------------------------------------------------------------------------------------- */

static void put_pair(Buf *b, const char *name, Str value, Arena *a)
{
	if (b->len && b->at[b->len - 1] != '?')
		buf_putc(b, '&');
	buf_put(b, str_of(name));
	buf_putc(b, '=');
	buf_put(b, url_encode(a, value));
}

static void put_address(Buf *b, Str address)
{
	buf_put(b, address);
	if (str_find_char(address, '?') < 0)
		buf_putc(b, '?');
}

static Str back_address(Arena *a, Str base)
{
	return str_fmt(a, "%.*s/console/openid/back", STR_ARG(base));
}

static Err *challenge_of(Arena *a, Str verifier, Str *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!EVP_Digest(verifier.at, verifier.len, digest, &len, EVP_sha256(), NULL))
		return err_new(a, ERR_INTERNAL, "openid.digest", "SHA-256 could not be computed");
	*out = b64url(a, (Str){ (char *)digest, len });
	return NULL;
}

static Str scopes_of(Arena *a, const AdminOpenidConf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < conf->scopes.count; i++) {
		if (i)
			buf_putc(&b, ' ');
		buf_put(&b, conf->scopes.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

Err *openid_begin(Arena *a, const AdminOpenidConf *conf, Str base, int64_t now_us, OpenidBegun *out)
{
	const Words w = { random_word(a), random_word(a), random_word(a), random_word(a) };
	AUTO(buf_fini) Buf to = { 0 };
	const OpenidProvider *p;
	Str challenge;

	TRY(openid_provider(a, conf, false, &p));
	TRY(challenge_of(a, w.verifier, &challenge));
	put_address(&to, p->authorize);
	put_pair(&to, "response_type", S("code"), a);
	put_pair(&to, "client_id", conf->client_id, a);
	put_pair(&to, "redirect_uri", back_address(a, base), a);
	put_pair(&to, "scope", scopes_of(a, conf), a);
	put_pair(&to, "state", w.state, a);
	put_pair(&to, "nonce", w.nonce, a);
	put_pair(&to, "code_challenge", challenge, a);
	put_pair(&to, "code_challenge_method", S("S256"), a);
	TRY(words_close(a, &w, now_us, &out->sealed));
	out->to = str_dup(a, buf_str(&to));
	out->proof = w.proof;
	return NULL;
}

/* --- and back ----------------------------------------------------------------------------------------------------------- */

typedef struct Answer {
	Str code, state, issuer, error, said;
} Answer;

/* A name that comes twice is a mistake (RFC 6749, section 3.1); one that is not known is left alone. */
static Err *read_answer(Arena *a, Str query, Answer *out)
{
	const struct {
		Str name;
		Str *into;
	} parts[] = {
		{ S("code"), &out->code },
		{ S("state"), &out->state },
		{ S("iss"), &out->issuer },
		{ S("error"), &out->error },
		{ S("error_description"), &out->said },
	};
	Str rest = query, pair, name;

	*out = (Answer){ 0 };
	while (str_split(&rest, '&', &pair)) {
		Str value = pair;

		(void)str_split(&value, '=', &name);
		for (size_t i = 0; i < COUNT(parts); i++) {
			if (!str_eq(parts[i].name, name))
				continue;
			if (parts[i].into->at || url_decode(a, value, parts[i].into))
				return &twice;
		}
	}
	return NULL;
}

static Err *check_answer(Arena *a, const AdminOpenidConf *conf, const OpenidProvider *p,
                         const Words *w, const Answer *answer)
{
	if (!same(answer->state, w->state))
		return &other_state;
	if ((p->says_issuer || answer->issuer.len) && !str_eq(answer->issuer, conf->issuer))
		return err_new(a, ERR_DENIED, "openid.issuer",
		               "what you came back with is %.*s's, not %.*s's",
		               STR_ARG(answer->issuer.len ? str_quote(a, answer->issuer)
		                                          : S("nobody")),
		               STR_ARG(conf->issuer));
	if (answer->error.len)
		return err_new(a, ERR_DENIED, "openid.refused", "the provider said no: %.*s%s%.*s",
		               STR_ARG(str_quote(a, answer->error)), answer->said.len ? ", " : "",
		               STR_ARG(answer->said.len ? str_quote(a, answer->said)
		                                        : answer->said));
	return answer->code.len ? NULL : &twice;
}

static Str basic(Arena *a, const AdminOpenidConf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str id = url_encode(a, conf->client_id), piece;
	bool more = false;

	while (str_split(&id, ':', &piece)) { /* url_encode leaves it, Basic may not have it */
		buf_put(&b, more ? S("%3A") : S(""));
		buf_put(&b, piece);
		more = true;
	}
	buf_putc(&b, ':');
	buf_put(&b, url_encode(a, conf->client_secret));
	return str_fmt(a, "Basic %.*s", STR_ARG(b64(a, buf_str(&b))));
}

static Err *redeem(Arena *a, const AdminOpenidConf *conf, const OpenidProvider *p, Str base,
                   Str code, Str verifier, const Json **out)
{
	bool secret = conf->client_secret.len, in_form = secret && p->secret_in_form;
	AUTO(buf_fini) Buf form = { 0 };
	AdminOpenidAsk ask = { .url = p->token };
	Str error = { 0 };
	unsigned status;

	put_pair(&form, "grant_type", S("authorization_code"), a);
	put_pair(&form, "code", code, a);
	put_pair(&form, "redirect_uri", back_address(a, base), a);
	put_pair(&form, "code_verifier", verifier, a);
	if (!secret || in_form)
		put_pair(&form, "client_id", conf->client_id, a);
	if (in_form)
		put_pair(&form, "client_secret", conf->client_secret, a);
	if (secret && !in_form)
		ask.authorization = basic(a, conf);
	ask.form = str_dup(a, buf_str(&form));
	TRY(openid_ask(a, &ask, &status, out));
	if (status == 200)
		return NULL;
	(void)json_to_str(json_get(*out, S("error")), &error);
	return err_new(a, ERR_DENIED, "openid.refused",
	               "the provider gave nothing for the code you came back with: %u %.*s", status,
	               STR_ARG(error.len ? str_quote(a, error) : error));
}

static Err *read_token(Arena *a, const AdminOpenidConf *conf, const OpenidProvider *p, Str token,
                       Str nonce, int64_t now_us, const Json **claims)
{
	Err *err = openid_token_check(a, conf, token, p->keys, nonce, now_us, claims);

	if (!err_is(err, "jws.key"))
		return err;
	TRY(openid_provider(a, conf, true, &p));
	err = openid_token_check(a, conf, token, p->keys, nonce, now_us, claims);
	if (err_is(err, "jws.key"))
		return err_because(a, err, ERR_DENIED, "openid.token",
		                   "the provider's word on who you are is signed by a stranger");
	return err;
}

/* What the ID token does not say, the provider may tell who has the access token. It must speak of the same person. */
static Err *ask_more(Arena *a, const OpenidProvider *p, const Json *answer, const Json *claims,
                     const Json **out)
{
	Str access, sub = { 0 }, other = { 0 };
	AdminOpenidAsk ask = { .url = p->userinfo };

	if (!ask.url.len || !json_to_str(json_get(answer, S("access_token")), &access))
		return NULL;
	for (size_t i = 0; i < access.len; i++)
		if (access.at[i] <= ' ' || access.at[i] > '~')
			return NULL;
	ask.authorization = str_fmt(a, "Bearer %.*s", STR_ARG(access));
	TRY(openid_ask(a, &ask, NULL, out));
	(void)json_to_str(json_get(claims, S("sub")), &sub);
	(void)json_to_str(json_get(*out, S("sub")), &other);
	if (sub.len && str_eq(sub, other))
		return NULL;
	return err_new(a, ERR_DENIED, "openid.token",
	               "the provider told of somebody else when it was asked for more");
}

static Str leave_address(Arena *a, const AdminOpenidConf *conf, const OpenidProvider *p, Str base,
                         Str token)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (!conf->end_session || !p->end_session.len)
		return (Str){ 0 };
	put_address(&b, p->end_session);
	put_pair(&b, "client_id", conf->client_id, a);
	if (token.len < LEAVE_BYTES)
		put_pair(&b, "id_token_hint", token, a);
	put_pair(&b, "post_logout_redirect_uri", str_fmt(a, "%.*s/console/", STR_ARG(base)), a);
	return str_dup(a, buf_str(&b));
}

static bool lacks(const AdminOpenidConf *conf, const Json *claims)
{
	return !openid_claim(claims, conf->claim) || !openid_claim(claims, conf->name);
}

Err *openid_end(Arena *a, const AdminOpenidConf *conf, Str base, int64_t now_us,
                const OpenidBack *back, AdminWho *who, Str *leave)
{
	const Json *tokens, *claims, *more = NULL;
	const OpenidProvider *p;
	Answer answer;
	Str token = { 0 };
	Words w;

	TRY(read_answer(a, back->query, &answer));
	TRY(words_open(a, back, now_us, &w));
	TRY(openid_provider(a, conf, false, &p));
	TRY(check_answer(a, conf, p, &w, &answer));
	TRY(redeem(a, conf, p, base, answer.code, w.verifier, &tokens));
	(void)json_to_str(json_get(tokens, S("id_token")), &token);
	TRY(read_token(a, conf, p, token, w.nonce, now_us, &claims));
	if (lacks(conf, claims))
		TRY(ask_more(a, p, tokens, claims, &more));
	TRY(openid_who(a, conf, claims, more, who));
	*leave = leave_address(a, conf, p, base, token);
	return NULL;
}
