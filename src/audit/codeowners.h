/* SPDX-License-Identifier: Apache-2.0
 *
 * CODEOWNERS: who must be asked about a file, by GitHub's rules (the last line that fits has it; no !, no [ ]) or GitLab's (sections with owners of
 * their own, "!" takes out). Beside what git tells: owners that never touched what is theirs, lines that fit nothing, files without one. */
#pragma once
#include "audit/audit.h"

typedef struct OwnerRule {
	Str pattern;
	const Str *
		owners; /* "@ann", "@shop/team", "ann@shop.test"; none: whoever fits is without owner */
	uint32_t count, line;
	uint32_t section; /* GitLab's; 0: before any */
	bool except;      /* GitLab's "!" */
} OwnerRule;

typedef struct OwnerRules {
	Str path; /* where it was found, from the root of the repository */
	OwnerRule *at;
	size_t count;
	uint32_t sections;
	uint32_t bad_line; /* the first that says nothing; 0: none */
} OwnerRules;

/* One of the owners, over all its files. */
typedef struct OwnerSeen {
	Str name;
	bool team;            /* who is in it is not known */
	uint32_t author;      /* index of History.authors, and 1; 0: nobody there is called so */
	uint32_t files;       /* of the project's code that are its own */
	uint32_t changes, of; /* its change sets among those of these files */
	bool gone;            /* its last commit is more than a year before the newest */
} OwnerSeen;

typedef struct CodeOwners {
	Str path; /* empty: there is no such file */
	OwnerSeen *owners;
	size_t count;
	uint32_t files, without; /* of the project's code */
} CodeOwners;

/* Pure; never fails: what is no rule is passed over and remembered (bad_line). Views into the text. */
void owner_rules_read(Arena *a, Str text, bool gitlab, OwnerRules *out);
bool owner_rule_fits(Str pattern, Str path); /* path from the root of the repository */
/* The rule that has a path, in this section; NULL: none. */
const OwnerRule *owner_rules_find(const OwnerRules *rules, Str path, uint32_t section);

/* Reads the file where it is looked for (.github/, the root, docs/, .gitlab/), and adds findings PY711 to PY714. */
void codeowners_read(Arena *a, Audit *audit, CodeOwners *out);
