/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords that everyone knows.
 *
 * A list is a file of the first six bytes of SHA-1 of each password, sorted: a million passwords take six megabytes, and of the
 * thousand million that are known from breaches one in 280,000 others is taken for one of them, which costs its owner another
 * try. It is mapped and searched by halving, so nothing is read before it is asked for.
 *
 *   "BANYAN-BREACHED\n"  16 bytes        count  8 bytes, little endian        count times 6 bytes, ascending
 *
 * Without a list the commonest are known by rule: a word of breached_words.h in any case, with digits and signs before and after
 * it and the usual letters written as digits, twice in a row too; runs of the keyboard or the alphabet; one or two characters
 * over and over. */
#include "auth/breached.h"

#include "auth/breached_words.h"
#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY = 6, HEAD = 24, LINE_MAX_BYTES = 4096, WORD_MAX = 64 };

static const char magic[17] = "BANYAN-BREACHED\n";

struct Breached {
	const unsigned char *map;
	size_t bytes;
	uint64_t count;
};

/* --- the rule ------------------------------------------------------------------------------------------------------ */

static char plain_letter(char c)
{
	static const char from[] = "0134578@$!|+", to[] = "oieastbasiit";
	const char *at = c ? strchr(from, c) : NULL;

	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	return at ? to[at - from] : c;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(Str word)
{
	char wanted[WORD_MAX + 2] = " ";
	size_t half = word.len / 2;

	if (!word.len || memchr(word.at, ' ', word.len))
		return false;
	memcpy(wanted + 1, word.at, word.len);
	wanted[word.len + 1] = ' ';
	if (memmem(common_words, sizeof common_words - 1, wanted, word.len + 2))
		return true;
	return word.len % 2 == 0 && half >= 3 &&
	       str_eq(str_sub(word, 0, half), str_sub(word, half, word.len)) &&
	       is_word(str_sub(word, 0, half));
}

/* Without what is no letter at the ends; `plain`: digits that stand for letters become those. */
static bool is_dressed_word(Str password, bool plain)
{
	char word[WORD_MAX];
	size_t from = 0, to = password.len, len = 0;

	while (from < to && !is_letter(password.at[from]))
		from++;
	while (to > from && !is_letter(password.at[to - 1]))
		to--;
	for (size_t i = from; i < to; i++) {
		char c = password.at[i];

		word[len++] = plain ? plain_letter(c) : (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	return len >= 3 && is_word((Str){ word, len });
}

static bool is_whole_word(Str password)
{
	char word[WORD_MAX];
	size_t to = password.len;

	for (size_t i = 0; i < password.len; i++)
		word[i] = plain_letter(password.at[i]);
	while (to > 0 && !is_letter(word[to - 1]))
		to--;
	return is_word((Str){ word, to });
}

/* All of it is a run along one of the rows, forwards or backwards, or round and round. */
static bool is_run(Str password)
{
	static const char *const rows[] = { "01234567890",
		                            "abcdefghijklmnopqrstuvwxyz",
		                            "qwertyuiopasdfghjklzxcvbnm",
		                            "qwertzuiopasdfghjklyxcvbnm",
		                            "azertyuiopqsdfghjklmwxcvbn",
		                            "1q2w3e4r5t6y7u8i9o0p",
		                            "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
		                            "qazwsxedcrfvtgbyhnujm" };
	char lower[WORD_MAX + 1] = { 0 }, back[WORD_MAX + 1] = { 0 };

	for (size_t i = 0; i < password.len; i++) {
		char c = password.at[i];

		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		back[password.len - 1 - i] = lower[i];
	}
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strstr(rows[i], lower) || strstr(rows[i], back))
			return true;
	return false;
}

static size_t different(Str password)
{
	bool seen[256] = { false };
	size_t count = 0;

	for (size_t i = 0; i < password.len; i++) {
		unsigned char c = (unsigned char)password.at[i];

		count += !seen[c];
		seen[c] = true;
	}
	return count;
}

/* Digits alone: a date, a run, a phone's number. */
static bool is_short_number(Str password)
{
	uint64_t number;

	return password.len <= 10 && str_to_u64(password, &number);
}

/* A run and then digits: "qwerty123", "abcd1234". */
static bool is_run_and_digits(Str password)
{
	size_t to = password.len;

	while (to > 0 && !is_letter(password.at[to - 1]))
		to--;
	return to >= 3 && is_run(str_sub(password, 0, to));
}

bool breached_is_common(Str password)
{
	if (!password.len)
		return true;
	if (different(password) <= 2)
		return true;
	if (password.len >= WORD_MAX)
		return false;
	if (memchr(password.at, 0, password.len))
		return false;
	return is_short_number(password) || is_run(password) || is_run_and_digits(password) ||
	       is_dressed_word(password, false) || is_dressed_word(password, true) ||
	       is_whole_word(password);
}

/* --- a list -------------------------------------------------------------------------------------------------------- */

static Err *not_a_list(Arena *a, Str path)
{
	return err_new(a, ERR_INVALID, "auth.breached_list",
	               "%.*s is no list that `banyan user breached` has built", STR_ARG(path));
}

static uint64_t count_of(const unsigned char *head)
{
	uint64_t count = 0;

	for (int i = 7; i >= 0; i--)
		count = count << 8 | head[16 + i];
	return count;
}

static void list_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

Err *breached_open(Arena *a, Str path, Breached **out)
{
	AUTO(list_close) int fd = open(str_z(a, path), O_RDONLY | O_CLOEXEC);
	Breached *list = ARENA_NEW(a, Breached);
	struct stat is;
	void *map;

	if (fd < 0 || fstat(fd, &is) < 0)
		return err_errno(a, errno, "base.file", "%.*s could not be opened", STR_ARG(path));
	if (is.st_size < HEAD)
		return not_a_list(a, path);
	map = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return err_errno(a, errno, "base.file", "%.*s could not be mapped", STR_ARG(path));
	*list = (Breached){ map, (size_t)is.st_size, count_of(map) };
	if (memcmp(map, magic, 16) != 0 || list->count != ((uint64_t)is.st_size - HEAD) / ENTRY ||
	    ((uint64_t)is.st_size - HEAD) % ENTRY) {
		munmap(map, list->bytes);
		return not_a_list(a, path);
	}
	*out = list;
	return NULL;
}

void breached_close(Breached *list)
{
	if (list)
		munmap((void *)list->map, list->bytes);
}

uint64_t breached_count(const Breached *list)
{
	return list ? list->count : 0;
}

static bool list_has(const Breached *list, const unsigned char *digest)
{
	uint64_t from = 0, to = list->count;

	while (from < to) {
		uint64_t middle = from + (to - from) / 2;
		int order = memcmp(digest, list->map + HEAD + middle * ENTRY, ENTRY);

		if (!order)
			return true;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return false;
}

bool breached_has(const Breached *list, Str password)
{
	unsigned char digest[SHA_DIGEST_LENGTH];

	if (breached_is_common(password))
		return true;
	if (!list)
		return false;
	SHA1((const unsigned char *)password.at, password.len, digest);
	return list_has(list, digest);
}

/* --- building one -------------------------------------------------------------------------------------------------- */

typedef struct Entries {
	unsigned char *at;
	uint64_t count, cap;
} Entries;

static void entries_free(Entries *e)
{
	free(e->at);
}

static bool entry_add(Entries *e, const unsigned char *digest)
{
	if (e->count == e->cap) {
		uint64_t cap = e->cap ? 2 * e->cap : 1024;
		unsigned char *at = realloc(e->at, cap * ENTRY);

		if (!at)
			return false;
		e->at = at;
		e->cap = cap;
	}
	memcpy(e->at + e->count++ * ENTRY, digest, ENTRY);
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3730471" */
static bool line_is_hash(Str line, unsigned char *digest, uint64_t *seen)
{
	Str hash;

	str_split(&line, ':', &hash);
	if (hash.len != 40 || (line.at && !str_to_u64(line, seen)))
		return false;
	for (size_t i = 0; i < 20; i++) {
		int high = hex_digit(hash.at[2 * i]), low = hex_digit(hash.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool line_take(Str line, uint64_t least, Entries *e, BreachedBuilt *built)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	uint64_t seen = UINT64_MAX;

	built->lines++;
	if (!line_is_hash(line, digest, &seen))
		SHA1((const unsigned char *)line.at, line.len, digest);
	if (!line.len || seen < least) {
		built->skipped++;
		return true;
	}
	return entry_add(e, digest);
}

static int entry_cmp(const void *x, const void *y)
{
	return memcmp(x, y, ENTRY);
}

static void entries_sort(Entries *e)
{
	uint64_t kept = 0;

	if (e->count)
		qsort(e->at, e->count, ENTRY, entry_cmp);
	for (uint64_t i = 0; i < e->count; i++)
		if (!kept || memcmp(e->at + (kept - 1) * ENTRY, e->at + i * ENTRY, ENTRY) != 0)
			memmove(e->at + kept++ * ENTRY, e->at + i * ENTRY, ENTRY);
	e->count = kept;
}

static bool list_write(const char *path, const Entries *e)
{
	unsigned char head[HEAD] = { 0 };
	FILE *file = fopen(path, "wbe");
	bool fine;

	if (!file)
		return false;
	memcpy(head, magic, 16);
	for (int i = 0; i < 8; i++)
		head[16 + i] = (unsigned char)(e->count >> 8 * i);
	fine = fwrite(head, 1, HEAD, file) == HEAD &&
	       fwrite(e->at, ENTRY, e->count, file) == e->count && !fflush(file) &&
	       !fsync(fileno(file));
	return !fclose(file) && fine;
}

Err *breached_build(Arena *a, FILE *lines, uint64_t seen, Str path, BreachedBuilt *out)
{
	AUTO(entries_free) Entries e = { 0 };
	BreachedBuilt built = { 0 };
	const char *there = str_z(a, path), *draft = str_z(a, str_fmt(a, "%s.new", there));
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof line, lines)) {
		size_t len = strcspn(line, "\r\n");

		if (!line_take((Str){ line, len }, seen, &e, &built))
			return err_errno(a, ENOMEM, "auth.breached_file",
			                 "the list does not fit into memory");
	}
	if (ferror(lines))
		return err_errno(a, errno, "auth.breached_file", "the passwords could not be read");
	entries_sort(&e);
	built.entries = e.count;
	if (!list_write(draft, &e) || rename(draft, there) < 0)
		return err_errno(a, errno, "auth.breached_file", "%s could not be written", there);
	*out = built;
	return NULL;
}
