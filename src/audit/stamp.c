/* SPDX-License-Identifier: Apache-2.0
 *
 * Stamps, as git's index has them. A file whose size, time of change of content, time of change of anything, and inode are what they were holds what it
 * held: whoever sets the first time back cannot set the second. Clocks have ticks, so a file that was changed within two seconds before it was looked
 * at could change again and look the same; such a one gets no stamp, and is read again next time. */
#include "audit/stamp.h"

#include "audit/audit_cache.h"
#include "base/arena.h"

#include <string.h>

static const Str key = { "all", 3 };

typedef struct Stamp {
	Str path;
	int64_t bytes, changed_ns, touched_ns;
	uint64_t inode;
	uint8_t oid[SOURCE_OID];
} Stamp;
typedef struct Stamps {
	Stamp *at; /* by path */
	size_t count;
} Stamps;

static const PackField stamp_fields[] = { PACK_TEXT(Stamp, path) };
static const PackType stamp_type = { PACK_FIELDS(Stamp, stamp_fields) };
static const PackField stamps_fields[] = { PACK_ARRAY(Stamps, at, count, &stamp_type) };
static const PackType stamps_type = { PACK_FIELDS(Stamps, stamps_fields) };

static bool is_same(const Stamp *stamp, const SourceFile *file)
{
	return stamp->bytes == file->bytes && stamp->changed_ns == file->changed_ns &&
	       stamp->touched_ns == file->touched_ns && stamp->inode == file->inode;
}

void stamps_apply(Arena *a, AuditCache *cache, Sources *sources)
{
	const Stamps *stamps;
	void *value;
	size_t at = 0;
	Str in;

	if (!audit_cache_find(cache, "stamps", key, &in) ||
	    !pack_read(a, &stamps_type, &in, &value))
		return;
	stamps = value;
	for (size_t i = 0; i < sources->count; i++) {
		SourceFile *file = &sources->files[i];

		while (at < stamps->count && str_cmp(stamps->at[at].path, file->path) < 0)
			at++;
		if (at == stamps->count)
			return;
		if (!str_eq(stamps->at[at].path, file->path) || !is_same(&stamps->at[at], file))
			continue;
		memcpy(file->oid, stamps->at[at].oid, SOURCE_OID);
		file->has_oid = true;
	}
}

void stamps_keep(AuditCache *cache, const Sources *sources, const AuditFile *files,
                 const SkipWhy *whys, int64_t begun_ns)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	Stamps stamps = { .at = ARENA_ARRAY(a, Stamp, sources->count + 1) };
	size_t fresh = 0;
	Str value;

	for (size_t i = 0; cache && i < sources->count; i++) {
		const SourceFile *file = &sources->files[i];
		Stamp *stamp = &stamps.at[stamps.count];

		if (whys[i] != SKIPS ||
		    MAX(file->changed_ns, file->touched_ns) >= begun_ns - SOURCE_TICK_NS)
			continue;
		fresh += !file->has_oid;
		*stamp = (Stamp){ .path = file->path,
			          .bytes = file->bytes,
			          .changed_ns = file->changed_ns,
			          .touched_ns = file->touched_ns,
			          .inode = file->inode };
		memcpy(stamp->oid, files[i].oid, SOURCE_OID);
		stamps.count++;
	}
	if (!fresh)
		return;
	pack_write(&b, &stamps_type, &stamps);
	if (!buf_done(&b, &value))
		audit_cache_put(cache, "stamps", key, value);
}
