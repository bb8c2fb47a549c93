/* SPDX-License-Identifier: Apache-2.0
 *
 * The main() of every unit test program. cmocka counts and reports; each test
 * runs in a child, so that neither a crash nor a CHECK that fails inside a
 * fiber or a thread reaches the next test.
 *
 *     base_path_test              run all, last line "N passed, N failed"
 *     base_path_test clean        run those whose name contains "clean"
 *     base_path_test --list       name them
 *     base_path_test --here NAME  run one in this very process, for a debugger
 *
 * UNIT_TIMEOUT is the number of seconds a test may take (60). */
#include "unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, FOLDER_BYTES = 64 };

static UnitCase *unit_first;
static pid_t unit_parent;
static char unit_message[512];
static char *unit_folder; /* shared with the child, which makes the directory */

void unit_add(UnitCase *test)
{
	UnitCase **at = &unit_first;

	while (*at && (*at)->line < test->line)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

void unit_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(unit_message, sizeof unit_message, format, args);
	va_end(args);
}

/* exit(), not _exit(): coverage is written by a destructor. */
void unit_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	flockfile(stdout);
	printf("%s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (unit_message[0])
		printf(" [%s]", unit_message);
	printf("\n");
	fflush(stdout);
	funlockfile(stdout);
	exit(1);
}

void unit_check_int(const char *file, int line, const char *text, intmax_t got, intmax_t want)
{
	if (got != want)
		unit_fail(file, line, "%s is %jd (%#jx), not %jd (%#jx)", text, got, (uintmax_t)got,
		          want, (uintmax_t)want);
}

void unit_check_near(const char *file, int line, const char *text, double got, double want,
                     double off)
{
	if (!(fabs(got - want) <= off))
		unit_fail(file, line, "%s is %.17g, not %.17g (within %g)", text, got, want, off);
}

static void print_escaped(FILE *out, const char *bytes, int len)
{
	fputc('"', out);
	for (int i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n')
			fputs("\\n", out);
		else if (c == '\r')
			fputs("\\r", out);
		else if (c == '\t')
			fputs("\\t", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

void unit_check_str(const char *file, int line, const char *text, int got_len, const char *got,
                    int want_len, const char *want)
{
	char *shown = NULL;
	size_t shown_len = 0;
	FILE *out;

	if (got_len == want_len && (got_len == 0 || memcmp(got, want, (size_t)got_len) == 0))
		return;
	out = open_memstream(&shown, &shown_len);
	fprintf(out, "\n\tgot  ");
	print_escaped(out, got, got_len);
	fprintf(out, "\n\twant ");
	print_escaped(out, want, want_len);
	fclose(out);
	unit_fail(file, line, "%s differs:%s", text, shown);
}

void unit_check_err(const char *file, int line, const char *text, const Err *err, const char *slug)
{
	if (!err && !slug)
		return;
	if (err && slug && strcmp(err->slug, slug) == 0)
		return;
	for (const Err *at = err; at; at = at->why)
		printf("\t%s:%d: %s: %.*s\n", at->file ? at->file : "?", at->line, at->slug,
		       STR_ARG(at->text));
	unit_fail(file, line, "%s is %s, not %s", text, err ? err->slug : "no error",
	          slug ? slug : "no error");
}

const char *unit_dir(void)
{
	if (unit_folder[0])
		return unit_folder;
	snprintf(unit_folder, FOLDER_BYTES, "/tmp/banyan-unit-XXXXXX");
	if (!mkdtemp(unit_folder))
		unit_fail(__FILE__, __LINE__, "no directory: %m");
	return unit_folder;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void remove_folder(void)
{
	if (unit_folder[0])
		nftw(unit_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	unit_folder[0] = 0;
}

static void run_here(UnitCase *test)
{
	Arena *a = arena_new(ARENA_BYTES);

	test->run(a);
	arena_free(a);
}

/* The test's exit status; a test that does not end is killed, with its children left to init. */
static int wait_for(pid_t child)
{
	const char *seconds = getenv("UNIT_TIMEOUT");
	struct pollfd fd = { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN };
	int status = 0;

	if (fd.fd >= 0 && poll(&fd, 1, (seconds ? atoi(seconds) : 60) * 1000) == 0) {
		printf("still running after %s seconds, killed\n", seconds ? seconds : "60");
		kill(child, SIGKILL);
	}
	if (fd.fd >= 0)
		close(fd.fd);
	while (waitpid(child, &status, 0) < 0)
		continue;
	return status;
}

static void run_in_child(void **state)
{
	UnitCase *test = *state;
	int status;
	pid_t child;

	if (getpid() != unit_parent)
		exit(1); /* a cmocka assertion failed in a child and jumped here */
	fflush(NULL);
	child = fork();
	if (child == 0) {
		run_here(test);
		exit(0);
	}
	if (child < 0)
		fail_msg("fork: %m");
	status = wait_for(child);
	remove_folder();
	if (WIFSIGNALED(status))
		fail_msg("%s: %s", test->name, strsignal(WTERMSIG(status)));
	if (status != 0)
		fail_msg("%s: exit status %d", test->name, WEXITSTATUS(status));
}

static bool is_wanted(const UnitCase *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(test->name, argv[i]))
			return true;
	return argc < 2;
}

static int list_tests(void)
{
	for (UnitCase *test = unit_first; test; test = test->next)
		printf("%s\n", test->name);
	return 0;
}

static int run_named_here(const char *name)
{
	for (UnitCase *test = unit_first; test; test = test->next) {
		if (strcmp(test->name, name) == 0) {
			run_here(test);
			return 0;
		}
	}
	fprintf(stderr, "no test is called %s\n", name);
	return 2;
}

static int run_group(int argc, char **argv)
{
	struct CMUnitTest *tests;
	size_t count = 0;
	int failed;

	for (UnitCase *test = unit_first; test; test = test->next)
		count++;
	tests = calloc(count + 1, sizeof *tests);
	count = 0;
	for (UnitCase *test = unit_first; test; test = test->next)
		if (is_wanted(test, argc, argv))
			tests[count++] = (struct CMUnitTest){ .name = test->name,
				                              .test_func = run_in_child,
				                              .initial_state = test };
	failed = _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL);
	free(tests);
	if (getpid() != unit_parent)
		_exit(1);
	printf("%zu passed, %d failed\n", count - (size_t)failed, failed);
	return failed || count == 0;
}

int main(int argc, char **argv)
{
	unit_parent = getpid();
	unit_folder =
		mmap(NULL, FOLDER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (unit_folder == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list_tests();
	if (argc == 3 && strcmp(argv[1], "--here") == 0)
		return run_named_here(argv[2]);
	return run_group(argc, argv);
}
