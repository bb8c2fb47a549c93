/* SPDX-License-Identifier: Apache-2.0
 *
 * A report about a mail of ours, as other servers send it: a multipart/report whose second part has fields a machine can read. Reports
 * without that part are known by exim's X-Failed-Recipients. What only people could read is no report: it is left alone, for a wrong
 * suppression is worse than a bounce more.
 *
 * A status of 4.x.x means "not now", of 5.x.x "not ever"; but 5.x.x of the mail rather than of the address (too large, refused as spam,
 * a policy) says nothing against the address, and is soft. */
#include "notification/bounce.h"

#include "base/arena.h"
#include "base/buf.h"
#include "notification/mime_read.h"
#include "notification/smtp_text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static const char *const names[] = {
	[BOUNCE_NONE] = "none", [BOUNCE_DELIVERED] = "delivered", [BOUNCE_DELAYED] = "delayed",
	[BOUNCE_SOFT] = "soft", [BOUNCE_HARD] = "hard",           [BOUNCE_COMPLAINT] = "complaint",
};

const char *bounce_kind_name(BounceKind kind)
{
	return names[kind];
}

/* Of X.1.N: the address. Of the others: the mailbox is disabled, the account is gone. */
static bool speaks_of_address(Str status)
{
	static const Str ones[] = { S("5.1.0"),  S("5.1.1"), S("5.1.2"), S("5.1.3"), S("5.1.6"),
		                    S("5.1.10"), S("5.2.1"), S("5.4.4"), S("5.0.0") };

	for (size_t i = 0; i < COUNT(ones); i++)
		if (str_eq(status, ones[i]))
			return true;
	return false;
}

BounceKind bounce_of_status(unsigned code, Str status)
{
	if (status.len ? status.at[0] == '4' : code / 100 == 4)
		return BOUNCE_SOFT;
	if (status.len ? status.at[0] == '2' : code / 100 == 2)
		return BOUNCE_DELIVERED;
	if (!status.len)
		return code == 550 || code == 551 || code == 553 ? BOUNCE_HARD : BOUNCE_SOFT;
	return speaks_of_address(status) ? BOUNCE_HARD : BOUNCE_SOFT;
}

/* --- reports ------------------------------------------------------------------------------------------------------------ */

/* "rfc822;ann@shop.example" */
static Str typed_value(Str value)
{
	ptrdiff_t semicolon = str_find_char(value, ';');

	return str_trim(semicolon < 0 ? value : str_sub(value, (size_t)semicolon + 1, value.len));
}

static Str typed_address(Str value)
{
	Str address = mime_address(typed_value(value));

	return smtp_address_is(address) ? address : S("");
}

static BounceKind kind_of(Str action, Str status)
{
	BounceKind kind;

	if (str_eq_nocase(action, S("delayed")))
		return BOUNCE_DELAYED;
	if (str_eq_nocase(action, S("delivered")) || str_eq_nocase(action, S("relayed")) ||
	    str_eq_nocase(action, S("expanded")))
		return BOUNCE_DELIVERED;
	if (!str_eq_nocase(action, S("failed")))
		return BOUNCE_NONE;
	kind = bounce_of_status(0, status);
	return kind == BOUNCE_DELIVERED ? BOUNCE_SOFT : kind;
}

/* "5.1.1 (bad address)" */
static Str status_of(Str value)
{
	size_t at = 0;

	while (at < value.len &&
	       ((value.at[at] >= '0' && value.at[at] <= '9') || value.at[at] == '.'))
		at++;
	return at <= 11 ? str_sub(value, 0, at) : S("");
}

/* One group of fields about one recipient. */
static void read_group(Arena *a, Str group, Bounce *out)
{
	BounceRow *row = &out->rows[out->count];
	Str action, value;

	if (out->count == BOUNCE_ROWS || !mime_header(a, group, "Action", &action))
		return;
	*row = (BounceRow){ 0 };
	if (mime_header(a, group, "Status", &value))
		row->status = status_of(value);
	if (mime_header(a, group, "Final-Recipient", &value))
		row->address = typed_address(value);
	if (mime_header(a, group, "Original-Recipient", &value) && typed_address(value).len)
		row->address = typed_address(value);
	if (mime_header(a, group, "Diagnostic-Code", &value))
		row->diagnostic = str_sub(typed_value(value), 0, 500);
	row->kind = kind_of(str_trim(action), row->status);
	out->count += row->kind != BOUNCE_NONE;
}

static void read_groups(Arena *a, Str text, Bounce *out)
{
	while (text.len) {
		Str group, rest;

		mime_split(text, &group, &rest);
		read_group(a, group, out);
		text = rest;
	}
}

static void read_complaint(Arena *a, Str text, Bounce *out)
{
	BounceRow *row = &out->rows[0];
	Str kind, value;

	if (!mime_header(a, text, "Feedback-Type", &kind) ||
	    !str_eq_nocase(str_trim(kind), S("abuse")))
		return;
	*row = (BounceRow){ .kind = BOUNCE_COMPLAINT,
		            .diagnostic = S("called spam by its reader") };
	if (mime_header(a, text, "Original-Rcpt-To", &value))
		row->address = typed_address(value);
	out->count = 1;
}

static Str bare_id(Str value)
{
	ptrdiff_t from = str_find_char(value, '<'), to = str_find_char(value, '>');

	return from >= 0 && to > from ? str_sub(value, (size_t)from + 1, (size_t)to) : S("");
}

static void read_original(Arena *a, Str text, Bounce *out)
{
	Str head, body, id;

	mime_split(text, &head, &body);
	if (mime_header(a, head, "Message-ID", &id))
		out->message_id = bare_id(id);
}

/* exim's. */
static void read_failed_recipients(Arena *a, Str head, Bounce *out)
{
	Str list, one;

	if (!mime_header(a, head, "X-Failed-Recipients", &list))
		return;
	while (out->count < BOUNCE_ROWS && str_split(&list, ',', &one))
		if (smtp_address_is(str_trim(one)))
			out->rows[out->count++] =
				(BounceRow){ .kind = BOUNCE_HARD, .address = str_trim(one) };
}

bool bounce_read(Arena *a, Str message, Bounce *out)
{
	MimePart *parts = ARENA_ARRAY(a, MimePart, MIME_PARTS);
	size_t count = mime_parts(a, message, parts, MIME_PARTS);
	Str head, body;

	*out = (Bounce){ 0 };
	mime_split(message, &head, &body);
	for (size_t i = 0; i < count; i++) {
		Str bytes = mime_part_bytes(a, &parts[i]);

		if (str_eq(parts[i].type, S("message/delivery-status")) ||
		    str_eq(parts[i].type, S("message/global-delivery-status")))
			read_groups(a, bytes, out);
		else if (str_eq(parts[i].type, S("message/feedback-report")))
			read_complaint(a, bytes, out);
		else if (str_eq(parts[i].type, S("message/rfc822")) ||
		         str_eq(parts[i].type, S("text/rfc822-headers")) ||
		         str_eq(parts[i].type, S("message/global")))
			read_original(a, bytes, out);
	}
	if (!out->count)
		read_failed_recipients(a, head, out);
	return out->count > 0;
}

/* --- addresses that say which mail -------------------------------------------------------------------------------------- */

enum { MAC_HEX = 12 };

static Str mac_of(Arena *a, Str id, Str secret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	char *text = arena_alloc_raw(a, MAC_HEX);
	unsigned len = 0;

	HMAC(EVP_sha256(), secret.len ? secret.at : "", (int)secret.len,
	     (const unsigned char *)id.at, id.len, mac, &len);
	for (size_t i = 0; i < MAC_HEX; i++)
		text[i] = digits[(mac[i / 2] >> (i % 2 ? 0 : 4)) & 15];
	return (Str){ text, MAC_HEX };
}

/* The id without its hyphens: a local part has 64 bytes. */
static Str short_id(Arena *a, Uuid id)
{
	char *text = arena_alloc_raw(a, 32);

	for (size_t i = 0; i < 16; i++)
		str_put_hex(text + 2 * i, id.at[i], 2);
	return (Str){ text, 32 };
}

Str verp_make(Arena *a, Str base, Uuid id, Str secret)
{
	Str domain = smtp_domain(base), text = short_id(a, id);
	Str local = str_sub(base, 0, base.len - domain.len - 1);

	return str_fmt(a, "%.*s+%.*s-%.*s@%.*s", STR_ARG(local), STR_ARG(text),
	               STR_ARG(mac_of(a, text, secret)), STR_ARG(domain));
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_id(Str text, Uuid *id)
{
	for (size_t i = 0; i < 16; i++) {
		int high = hex_of(text.at[2 * i]), low = hex_of(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		id->at[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool verp_read(Str address, Str base, Str secret, Uuid *id)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str domain = smtp_domain(base), local = str_sub(base, 0, base.len - domain.len - 1), token;

	if (!str_eq_nocase(smtp_domain(address), domain) ||
	    address.len != base.len + 1 + 32 + 1 + MAC_HEX ||
	    !str_eq_nocase(str_sub(address, 0, local.len), local) || address.at[local.len] != '+')
		return false;
	token = str_lower(a, str_sub(address, local.len + 1, local.len + 1 + 32 + 1 + MAC_HEX));
	if (token.at[32] != '-' || !read_id(token, id))
		return false;
	return CRYPTO_memcmp(token.at + 33, mac_of(a, str_sub(token, 0, 32), secret).at, MAC_HEX) ==
	       0;
}
