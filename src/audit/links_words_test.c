/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links_words.c"

#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

static void put(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	CHECK(file);
	fputs(text, file);
	fclose(file);
	CHECK_INT(chmod(path, mode), 0);
}

static bool has(const PairTable *table, const char *word)
{
	return pair_find(table, link_hash(str_of(word)), 0) != NULL;
}

TEST(words_come_from_tags_configurations_and_programs)
{
	const char *folder = unit_dir();
	char deep[512];
	OtherWords words = { 0 };
	Project project = { 0 };

	snprintf(deep, sizeof(deep), "%s/templates", folder);
	CHECK_INT(mkdir(deep, 0755), 0);
	put(deep, "a.html", "prose {{ order.total }} more {% if is_paid %} ${ mako_name } { css }",
	    0644);
	put(folder, "setup.cfg", "console_scripts =\n  shop = shop.run:start\nname = plain\n",
	    0644);
	put(folder, "a.py", "", 0644);
	put(folder, "Procfile", "web: gunicorn shop.wsgi --config run_me\n", 0644);
	put(folder, "manage", "#!/usr/bin/python3\nfrom shop import boot\nboot(now)\n", 0755);
	put(folder, "notes", "python never_read()\n", 0644);
	put(folder, "deploy", "#!/bin/sh\nexec do_it plain words\n", 0755);
	put(folder, "data.json", "{ json_name: 1 }", 0644);
	snprintf(deep, sizeof(deep), "%s/node_modules", folder);
	CHECK_INT(mkdir(deep, 0755), 0);
	put(deep, "b.html", "{{ far_away }}", 0644);
	project.sources.root = str_of(folder);
	links_words(&project, &words);
	CHECK(has(&words.templates, "total") && has(&words.templates, "is_paid") &&
	      has(&words.templates, "mako_name"));
	CHECK(!has(&words.templates, "prose") && !has(&words.templates, "css") &&
	      !has(&words.templates, "far_away"));
	CHECK(has(&words.entries, "start") && has(&words.entries, "wsgi") &&
	      has(&words.entries, "run_me") && has(&words.entries, "do_it"));
	CHECK(!has(&words.entries, "plain") && !has(&words.entries, "json_name"));
	CHECK(has(&words.scripts, "boot") && has(&words.scripts, "now"));
	CHECK(!has(&words.scripts, "never_read"));
	CHECK(!words.cut);
	links_words_fini(&words);
}
