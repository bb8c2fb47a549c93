/* SPDX-License-Identifier: Apache-2.0
 *
 * A line's name ends at its first colon; all after it is the stored password, colons too, as some formats have them. A file is
 * taken whole or not at all: a line that nobody can read would be somebody who cannot come in, and nobody would know why. */
#include "auth/htpasswd.h"

#include "auth/b64.h"
#include "auth/password.h"
#include "auth/text.h"
#include "base/arena.h"

static Err *invalid(Arena *a, size_t line, Str why)
{
	return err_new(a, ERR_INVALID, "htpasswd.invalid", "line %zu: %.*s", line, STR_ARG(why));
}

/* Names that "first:rest" begins with; false: it has no colon. */
static bool split_name(Str text, Str *name, Str *rest)
{
	ptrdiff_t colon = str_find_char(text, ':');

	if (colon < 0)
		return false;
	*name = str_sub(text, 0, (size_t)colon);
	*rest = str_sub(text, (size_t)colon + 1, text.len);
	return true;
}

static Err *read_line(Arena *a, Htpasswd *set, Str line, size_t number, uint64_t most_memory_bytes)
{
	HtpasswdUser *user = &set->at[set->count];
	PasswordLook look;
	TextName name;
	Str typed;
	Err *err;

	if (!split_name(line, &typed, &user->stored))
		return invalid(a, number, S("there is no colon after a name"));
	err = text_login(a, typed, &name);
	err = err ? err : password_look(a, user->stored, most_memory_bytes, &look);
	if (err)
		return invalid(a, number, err->text);
	user->name = name.shown;
	if (map_put(&set->by_name, user->name, user))
		return invalid(a, number, S("that name is there already"));
	set->count++;
	return NULL;
}

static void free_map(void *map)
{
	map_fini(map);
}

Err *htpasswd_read(Arena *a, Str text, uint64_t most_memory_bytes, Htpasswd *out)
{
	size_t lines = 1, number = 0;
	Str line;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	*out = (Htpasswd){ .at = ARENA_ARRAY(a, HtpasswdUser, lines) };
	arena_defer(a, free_map, &out->by_name);
	while (str_split(&text, '\n', &line)) {
		number++;
		if (line.len && line.at[line.len - 1] == '\r')
			line.len--;
		if (line.len && line.at[0] != '#')
			TRY(read_line(a, out, line, number, most_memory_bytes));
	}
	return NULL;
}

const HtpasswdUser *htpasswd_find(const Htpasswd *set, Str name)
{
	return map_get(&set->by_name, name);
}

static bool has_controls(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
			return true;
	return false;
}

bool basic_credentials_read(Arena *a, Str text, Str *name, Str *password)
{
	Str bytes, typed;
	TextName read;

	if (!b64_read(a, text, &bytes) || has_controls(bytes) ||
	    !split_name(bytes, &typed, password) || text_login(a, typed, &read))
		return false;
	*name = read.shown;
	return true;
}
