/* SPDX-License-Identifier: Apache-2.0
 *
 * CODEOWNERS of anybody's repository: the first byte says whose rules. Every rule is asked for some paths, the rest of the text among them; what is
 * found is one of the rules, and fits. */
#include "audit/codeowners.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const OwnerRules *rules, Str path)
{
	for (uint32_t section = 0; section < rules->sections; section++) {
		const OwnerRule *rule = owner_rules_find(rules, path, section);

		if (rule && (rule < rules->at || rule >= rules->at + rules->count || rule->except ||
		             rule->section != section ||
		             !owner_rule_fits(rule->pattern, path, rules->gitlab)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size }, first;
	OwnerRules rules;

	if (!size)
		return 0;
	text = str_sub(text, 1, text.len);
	owner_rules_read(a, text, data[0] == 'l', &rules);
	if (rules.count > 1000)
		return 0;
	ask(&rules, S("shop/orders/models.py"));
	ask(&rules, S("x"));
	str_split(&text, '\n', &first);
	ask(&rules, first);
	return 0;
}
