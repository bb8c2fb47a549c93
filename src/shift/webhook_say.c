/* SPDX-License-Identifier: Apache-2.0
 *
 * What a webhook is sent: the body, the id that a receiver knows it by when it comes again, and the signature of Standard
 * Webhooks (standardwebhooks.com, 1.0.0): HMAC-SHA256 over "ID.SECONDS.BODY". The seconds are those of the try, as receivers
 * refuse old ones; the id is the entry's own.
 *
 * An id has no dot, since a dot parts what is signed, and letters that a header may hold only. The time of the entry is in it,
 * so that a book begun anew, or that of another installation, has other ids. */
#include "shift/webhook_int.h"

#include "base/arena.h"
#include "base/json.h"
#include "shift/words.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <inttypes.h>
#include <string.h>

Str webhook_id(Arena *a, Str subject, const BookEntry *entry)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < subject.len; i++) {
		unsigned char c = (unsigned char)subject.at[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && strchr("_-:", c)))
			buf_putc(&b, (char)c);
		else
			buf_fmt(&b, "%%%02x", c);
	}
	buf_fmt(&b, "/%" PRId64 "/%" PRIx64, entry->revision, (uint64_t)entry->at_us);
	return str_dup(a, buf_str(&b));
}

/* --- bodies --------------------------------------------------------------------------------------------------------------- */

static void put_data(JsonWriter *w, Str subject, const BookEntry *entry, Str gateway)
{
	json_begin_object(w);
	json_put_str(w, "subject", subject);
	json_put_i64(w, "revision", entry->revision);
	json_put_str(w, "from", entry->from);
	json_put_str(w, "to", entry->to);
	json_put_real(w, "percent", entry->share_ppm / 1e4);
	json_put_str(w, "who", entry->who);
	json_put_str(w, "why", entry->why);
	json_key(w, S("evidence"));
	json_add_raw(w, entry->evidence.len ? entry->evidence : S("{}"));
	json_put_str(w, "gateway", gateway);
	json_end(w);
}

static void put_standard(JsonWriter *w, Arena *a, Str subject, const BookEntry *entry, Str gateway)
{
	json_begin_object(w);
	json_put_str(w, "type", str_fmt(a, "shift.%.*s", STR_ARG(entry->verb)));
	json_key(w, S("timestamp"));
	json_add_time(w, entry->at_us);
	json_key(w, S("data"));
	put_data(w, subject, entry, gateway);
	json_end(w);
}

/* Three letters mean something to them. */
static void put_escaped(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.at[i]) {
		case '&':
			buf_put(b, S("&amp;"));
			break;
		case '<':
			buf_put(b, S("&lt;"));
			break;
		case '>':
			buf_put(b, S("&gt;"));
			break;
		case '\r':
		case '\n':
			buf_putc(b, ' ');
			break;
		default:
			buf_putc(b, text.at[i]);
		}
}

/* users: back, from canary to old (0 % of users on the new side), by ann: tea */
static void put_slack(JsonWriter *w, Str subject, const BookEntry *entry)
{
	AUTO(buf_fini) Buf line = { 0 };

	put_escaped(&line, subject);
	buf_fmt(&line, ": %.*s, ", STR_ARG(entry->verb));
	if (!str_eq(entry->from, entry->to))
		buf_fmt(&line, "from %.*s ", STR_ARG(entry->from));
	buf_fmt(&line, "to %.*s (", STR_ARG(entry->to));
	words_put_percent(&line, entry->share_ppm / 1e6);
	buf_put(&line, S(" of users on the new side), by "));
	put_escaped(&line, entry->who);
	if (entry->why.len) {
		buf_put(&line, S(": "));
		put_escaped(&line, entry->why);
	}
	json_begin_object(w);
	json_put_str(w, "text", buf_str(&line));
	json_end(w);
}

Err *webhook_body(Arena *a, WebhookFormat format, Str subject, const BookEntry *entry, Str gateway,
                  Str *out)
{
	AUTO(buf_fini) Buf text = { 0 };
	JsonWriter w = json_writer(&text);
	Str done;

	if (format == WEBHOOK_SLACK)
		put_slack(&w, subject, entry);
	else
		put_standard(&w, a, subject, entry, gateway);
	TRY(json_done(&w, &done));
	*out = str_dup(a, done);
	return NULL;
}

/* --- signatures ----------------------------------------------------------------------------------------------------------- */

Str webhook_sign(Arena *a, const uint8_t *key, size_t key_bytes, Str id, int64_t seconds, Str body)
{
	Str signed_text = str_fmt(a, "%.*s.%" PRId64 ".%.*s", STR_ARG(id), seconds, STR_ARG(body));
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned char text[EVP_MAX_MD_SIZE * 2];
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), key, (int)key_bytes, (const unsigned char *)signed_text.at,
	          signed_text.len, mac, &len))
		abort();
	EVP_EncodeBlock(text, mac, (int)len);
	return str_fmt(a, "v1,%s", (const char *)text);
}

static void put_part(Buf *b, Str text)
{
	buf_fmt(b, "%zu:%.*s,", text.len, STR_ARG(text));
}

Str webhook_print(Arena *a, const WebhookConf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };
	unsigned char hash[EVP_MAX_MD_SIZE];
	uint64_t first;

	put_part(&b, conf->url);
	put_part(&b, conf->secret);
	buf_fmt(&b, "%u,", conf->format);
	for (size_t i = 0; i < conf->events.count; i++)
		buf_fmt(&b, "%u,", conf->events.at[i]);
	for (size_t i = 0; i < conf->subjects.count; i++)
		put_part(&b, conf->subjects.at[i]);
	if (!EVP_Digest(b.at, b.len, hash, NULL, EVP_sha256(), NULL))
		abort();
	memcpy(&first, hash, sizeof first);
	return str_fmt(a, "%016" PRIx64, first);
}
