/* SPDX-License-Identifier: Apache-2.0
 *
 * CODEOWNERS: who must be asked about a file, by GitHub's rules (the last line that fits has it; neither ! nor [ ]) or GitLab's (sections, each with
 * owners of its own; "!" takes out). Beside what git tells: owners that never touched what is theirs, or are gone, files that have none. */
#pragma once
#include "audit/audit.h"

typedef struct OwnerRule {
	Str pattern;
	const Str *
		owners; /* "@ann", "@shop/team", "ann@shop.test"; none: what fits is without owner */
	uint32_t count, line;
	uint32_t section; /* GitLab's; 0: before any */
	bool except;      /* GitLab's "!" */
} OwnerRule;

typedef struct OwnerRules {
	bool gitlab;
	OwnerRule *at;
	size_t count;
	uint32_t sections; /* and the one before any */
	uint32_t bad_line; /* the first that is no rule; 0: none */
} OwnerRules;

enum {
	OWNER_RULES_MOST = 100000,
	OWNER_NAMES_MOST = 64 /* of one rule; further ones are passed over */
};

/* Pure; never fails: what is no rule is passed over and remembered. GitLab's rules when it is GitLab's file, or has a section. */
void owner_rules_read(Arena *a, Str text, bool gitlab, OwnerRules *out);
bool owner_rule_fits(Str pattern, Str path, bool gitlab); /* path from the root of the repository */
/* The rule that has a path, in this section; NULL: none. */
const OwnerRule *owner_rules_find(const OwnerRules *rules, Str path, uint32_t section);

/* One of the owners, over all its files. */
typedef struct OwnerSeen {
	Str name;
	uint32_t line;        /* of the last rule that has it */
	bool team;            /* who is in it is not known */
	bool known;           /* somebody in git's history is called so */
	bool gone;            /* the last commit is more than a year before the newest */
	uint32_t files;       /* of the project's code that are its own */
	uint32_t changes, of; /* its change sets among those that touch these files */
} OwnerSeen;

typedef struct CodeOwners {
	Str path; /* from the root of the repository */
	OwnerSeen *owners;
	size_t count;
	uint32_t files, without; /* of the project's code */
	uint32_t bad_line;
} CodeOwners;

/* Reads the file where it is looked for (.github/, the root, docs/, .gitlab/) in the repository of audit->project, and adds findings. NULL: there is
 * none. A name is somebody's whose address it is; else whose address at GitHub or GitLab it stands in; else whose address begins with it, or who is
 * called so, blanks and case aside. */
const CodeOwners *codeowners_read(Arena *a, Audit *audit);
/* {path, files, without, owners: [{name, team, known, gone, files, changes, of}]} */
void codeowners_put(JsonWriter *w, const CodeOwners *c);
