/* SPDX-License-Identifier: Apache-2.0
 *
 * The packages as a bill of materials, CycloneDX 1.5 in JSON (https://cyclonedx.org/docs/1.5/json/): components by their package URL, what needs what as far
 * as locks tell, and the known holes that were found. The same input gives the same bytes. A component's hash is there when
 * a lock has just one: of several wheels nobody knows which is installed. */
#include "audit/outside.h"
#include "audit/audit_conf.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/uuid.h"
#include "build_info.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NEEDS_MOST = 1000, SHA256_DIGITS = 64 };

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_' || c == '~';
}

static void put_escaped(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_plain(text.at[i]))
			buf_putc(b, text.at[i]);
		else
			buf_fmt(b, "%%%02X", (uint8_t)text.at[i]);
}

/* pkg:pypi/django@3.2.19 */
static Str package_url(Buf *b, const Package *p)
{
	buf_clear(b);
	buf_put(b, S("pkg:pypi/"));
	put_escaped(b, p->name);
	if (p->version.len) {
		buf_putc(b, '@');
		put_escaped(b, p->version);
	}
	return buf_str(b);
}

static void put_hash(JsonWriter *w, const Package *p)
{
	Str sha = S("sha256:");

	if (p->hash_count != 1 || !str_starts(p->hashes[0], sha) ||
	    p->hashes[0].len != sha.len + SHA256_DIGITS)
		return;
	json_key(w, S("hashes"));
	json_begin_array(w);
	json_begin_object(w);
	json_put_str(w, "alg", S("SHA-256"));
	json_put_str(w, "content", str_sub(p->hashes[0], sha.len, p->hashes[0].len));
	json_end(w);
	json_end(w);
}

static void put_component(JsonWriter *w, Buf *url, const Package *p)
{
	Str ref = package_url(url, p);

	json_begin_object(w);
	json_put_str(w, "type", S("library"));
	json_put_str(w, "bom-ref", ref);
	json_put_str(w, "name", p->name);
	if (p->version.len)
		json_put_str(w, "version", p->version);
	json_put_str(w, "scope", p->dev ? S("excluded") : S("required"));
	put_hash(w, p);
	json_put_str(w, "purl", ref);
	json_end(w);
}

static void put_metadata(JsonWriter *w, Str name, Str today)
{
	json_key(w, S("metadata"));
	json_begin_object(w);
	json_key(w, S("timestamp"));
	json_add_str(w, today);
	json_key(w, S("tools"));
	json_begin_object(w);
	json_key(w, S("components"));
	json_begin_array(w);
	json_begin_object(w);
	json_put_str(w, "type", S("application"));
	json_put_str(w, "name", S("banyan"));
	json_put_str(w, "version", S(BANYAN_VERSION));
	json_end(w);
	json_end(w);
	json_end(w);
	json_key(w, S("component"));
	json_begin_object(w);
	json_put_str(w, "type", S("application"));
	json_put_str(w, "bom-ref", S("root"));
	json_put_str(w, "name", name);
	json_end(w);
	json_end(w);
}

/* --- what needs what ---------------------------------------------------------------------------------------------------------------------- */

static void begin_dependency(JsonWriter *w, Str ref)
{
	json_begin_object(w);
	json_put_str(w, "ref", ref);
	json_key(w, S("dependsOn"));
	json_begin_array(w);
}

static void end_dependency(JsonWriter *w)
{
	json_end(w);
	json_end(w);
}

/* Each once: a lock may name a package twice, by its extras. */
static void put_needs(JsonWriter *w, Buf *url, const Map *by_name, const Package *p)
{
	begin_dependency(w, package_url(url, p));
	for (size_t i = 0; i < p->need_count; i++) {
		const Package *need = map_get(by_name, p->needs[i]);
		bool again = false;

		for (size_t k = 0; k < i && k < NEEDS_MOST; k++)
			again = again || str_eq(p->needs[k], p->needs[i]);
		if (need && !again)
			json_add_str(w, package_url(url, need));
	}
	end_dependency(w);
}

static void put_dependencies(JsonWriter *w, Buf *url, const Packages *p)
{
	AUTO(map_fini) Map by_name = { 0 };

	json_key(w, S("dependencies"));
	json_begin_array(w);
	begin_dependency(w, S("root"));
	for (size_t i = 0; i < p->count; i++) {
		map_put(&by_name, p->at[i].name, &p->at[i]);
		if (p->at[i].direct)
			json_add_str(w, package_url(url, &p->at[i]));
	}
	end_dependency(w);
	for (size_t i = 0; i < p->count; i++)
		put_needs(w, url, &by_name, &p->at[i]);
	json_end(w);
}

static void put_holes(JsonWriter *w, Buf *url, const Packages *p)
{
	if (!p->holes_known)
		return;
	json_key(w, S("vulnerabilities"));
	json_begin_array(w);
	for (size_t i = 0; i < p->hole_count; i++) {
		const Hole *h = &p->holes[i];

		json_begin_object(w);
		json_put_str(w, "id", h->id);
		json_put_str(w, "description", h->summary);
		if (h->fixed.len) {
			json_key(w, S("recommendation"));
			buf_clear(url);
			buf_fmt(url, "take %.*s", STR_ARG(h->fixed));
			json_add_str(w, buf_str(url));
		}
		json_key(w, S("affects"));
		json_begin_array(w);
		json_begin_object(w);
		json_put_str(w, "ref", package_url(url, &p->at[h->package]));
		json_end(w);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

void outside_sbom(Buf *out, const Outside *o, Str name, Str serial)
{
	AUTO(buf_fini) Buf url = { 0 };
	JsonWriter writer = json_writer(out), *w = &writer;

	json_begin_object(w);
	json_put_str(w, "bomFormat", S("CycloneDX"));
	json_put_str(w, "specVersion", S("1.5"));
	if (serial.len) {
		buf_fmt(&url, "urn:uuid:%.*s", STR_ARG(serial));
		json_put_str(w, "serialNumber", buf_str(&url));
	}
	json_put_i64(w, "version", 1);
	buf_clear(&url);
	buf_fmt(&url, "%.*sT00:00:00Z", STR_ARG(o->today));
	put_metadata(w, name, buf_str(&url));
	json_key(w, S("components"));
	json_begin_array(w);
	for (size_t i = 0; i < o->packages.count; i++)
		put_component(w, &url, &o->packages.at[i]);
	json_end(w);
	put_dependencies(w, &url, &o->packages);
	put_holes(w, &url, &o->packages);
	json_end(w);
	buf_putc(out, '\n');
}

/* The root folder's own name. */
static Str name_of(Arena *a, Str root)
{
	char real[PATH_MAX];
	ptrdiff_t slash;

	if (!realpath(str_z(a, root), real))
		return root;
	root = str_dup(a, str_of(real));
	slash = str_rfind_char(root, '/');
	return str_sub(root, (size_t)(slash + 1), root.len);
}

Err *outside_sbom_write(Arena *a, const Audit *audit, const AuditRules *rules, Buf *out)
{
	AUTO(buf_fini) Buf plain = { 0 };
	Str name = name_of(a, rules->root);
	Uuid id;

	outside_sbom(&plain, audit->outside, name, (Str){ 0 });
	for (uint64_t half = 0; half < 2; half++) {
		uint64_t hash = hash_stable(buf_str(&plain), half, 6);

		memcpy(id.at + 8 * half, &hash, sizeof(hash));
	}
	/* Version 8: made as its maker likes (RFC 9562, 5.8). */
	id.at[6] = (uint8_t)((id.at[6] & 0x0f) | 0x80);
	id.at[8] = (uint8_t)((id.at[8] & 0x3f) | 0x80);
	outside_sbom(out, audit->outside, name, uuid_text(a, id));
	return NULL;
}
