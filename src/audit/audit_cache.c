/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache of an audit. */
#include "audit/audit_cache.h"

#include "base/arena.h"

struct AuditCache {
	AuditCacheFigures figures;
};

AuditCache *audit_cache_open(Arena *a, Str folder, Str root)
{
	(void)folder;
	(void)root;
	return ARENA_NEW(a, AuditCache);
}

bool audit_cache_find(AuditCache *cache, const char *what, Str key, Str *value)
{
	(void)cache;
	(void)what;
	(void)key;
	(void)value;
	return false;
}

void audit_cache_put(AuditCache *cache, const char *what, Str key, Str value)
{
	(void)cache;
	(void)what;
	(void)key;
	(void)value;
}

void audit_cache_store(AuditCache *cache)
{
	(void)cache;
}

AuditCacheFigures audit_cache_figures(const AuditCache *cache)
{
	return cache ? cache->figures : (AuditCacheFigures){ 0 };
}
