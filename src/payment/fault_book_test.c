/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/fault_book.c"

#include "unit.h"

#include "rt/loop.h"

#include <stdlib.h>

static Str new_file(Arena *a)
{
	char *path = strcpy(arena_alloc(a, 64), "/tmp/fault_book_XXXXXX");
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	return str_of(path);
}

static FaultPayment *authorize(FaultBook *book, const char *key, bool capture)
{
	FaultPayment in = { .key = str_of(key),
		            .currency = S("eur"),
		            .token = S("pm_card_visa"),
		            .amount = 1000,
		            .state = FAULT_AUTHORIZED,
		            .capture = capture,
		            .order = S("o\"1\n") };
	FaultPayment *p = NULL;

	CHECK_OK(fault_book_authorize(book, &in, &p));
	return p;
}

static Str shown(Arena *a, const FaultBook *book)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	fault_book_put(&w, book);
	return str_dup(a, buf_str(&b));
}

static Str path;
static Str was;

/* Everything there is, so that what is read again can be compared whole. */
static Err *write_book(void *arg)
{
	Arena *a = arg;
	FaultBook *book;
	FaultPayment *p;
	FaultRefund *r;
	FaultPayment declined = { .key = S("k4"),
		                  .currency = S("usd"),
		                  .token = S("t"),
		                  .amount = 7,
		                  .state = FAULT_DECLINED,
		                  .code = S("card_declined"),
		                  .decline_code = S("lost_card") };

	CHECK_OK(fault_book_open(a, path, &book));
	p = authorize(book, "k1", true);
	CHECK_OK(fault_book_give_back(book, p, S("r1"), 400, &r));
	CHECK_OK(fault_book_capture(book, authorize(book, "k2", false), S("c2"), 900));
	CHECK_OK(fault_book_void(book, authorize(book, "k3", false), S("v3")));
	CHECK_OK(fault_book_authorize(book, &declined, &p));
	CHECK_OK(fault_book_seal(book, S("never")));
	CHECK_OK(fault_book_keep_script(book, S("{\"seed\":1}")));
	CHECK_OK(fault_book_sync(book));
	was = shown(a, book);
	fault_book_close(book);
	return NULL;
}

typedef struct Opened {
	Arena *a;
	FaultBook *book;
} Opened;

static Err *open_on_loop(void *arg)
{
	Opened *o = arg;

	return fault_book_open(o->a, path, &o->book);
}

/* A file is read by a worker, so whoever opens one is a fiber. */
static Err *open_book(Arena *a, FaultBook **book)
{
	Opened o = { .a = a };
	Err *err = rt_run(&(RtConf){ .loops = 1 }, open_on_loop, &o);

	*book = o.book;
	return err;
}

TEST(a_book_is_read_again_as_it_was)
{
	FaultBook *book;

	path = new_file(a);
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, write_book, a));
	CHECK_OK(open_book(a, &book));
	CHECK_STR(shown(a, book), was);
	CHECK(fault_book_sealed(book, S("never")));
	CHECK(fault_book_act(book, S("c2")) == fault_book_of_key(book, S("k2")));
	CHECK_INT(fault_book_refund(book, S("r1"))->amount, 400);
	CHECK_STR(fault_book_script(book), S("{\"seed\":1}"));
	fault_book_close(book);
	unlink(str_z(a, path));
}

static void append(Arena *a, const char *text)
{
	int fd = open(str_z(a, path), O_WRONLY | O_APPEND | O_CLOEXEC);

	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

TEST(a_half_line_of_a_dying_process_is_cut)
{
	FaultBook *book;
	Str before;

	path = new_file(a);
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, write_book, a));
	append(a, "{\"act\":\"authorize\",\"paym");
	CHECK_OK(open_book(a, &book));
	before = shown(a, book);
	fault_book_close(book);
	CHECK_STR(before, was);
	append(a, "{\"act\":\"seal\",\"key\":\"k9\"}\n"); /* not to the half line, which is gone */
	CHECK_OK(open_book(a, &book));
	CHECK(fault_book_sealed(book, S("k9")));
	fault_book_close(book);
	append(a, "{\"act\":\"capture\",\"payment\":\"fp_none\",\"amount\":1}\n");
	CHECK_ERR(open_book(a, &book), "fault.book");
	unlink(str_z(a, path));
}

TEST(two_processes_do_not_write_one_book)
{
	FaultBook *book, *other;

	path = new_file(a);
	CHECK_OK(open_book(a, &book));
	CHECK_ERR(open_book(a, &other), "fault.book_in_use");
	fault_book_close(book);
	unlink(str_z(a, path));
}

TEST(money_does_not_come_from_nowhere)
{
	FaultBook *book;
	FaultPayment *p;
	FaultRefund *r;

	CHECK_OK(fault_book_open(a, S(""), &book));
	p = authorize(book, "k1", false);
	CHECK_ERR(fault_book_give_back(book, p, S("r1"), 1, &r), "state");
	CHECK_ERR(fault_book_capture(book, p, S("c1"), 1001), "amount");
	CHECK_ERR(fault_book_capture(book, p, S("c1"), 0), "amount");
	CHECK_OK(fault_book_capture(book, p, S("c1"), 600));
	CHECK_ERR(fault_book_capture(book, p, S("c2"), 400), "state");
	CHECK_ERR(fault_book_void(book, p, S("v1")), "state");
	CHECK_OK(fault_book_give_back(book, p, S("r1"), 600, &r));
	CHECK_ERR(fault_book_give_back(book, p, S("r2"), 1, &r), "amount");
	CHECK_INT(p->captured - p->refunded, 0);
	fault_book_close(book);
}
