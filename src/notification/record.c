/* SPDX-License-Identifier: Apache-2.0
 *
 * A provider that only writes down what it is given. One line is one write, so several processes may share a file. */
#include "notification/record.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/provider.h"
#include "rt/fiber.h"
#include "rt/work.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct Record {
	int fd;
} Record;

static void put_line(Buf *out, Arena *a, const Message *m)
{
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_put_str(&w, "channel", str_of(channel_name(m->channel)));
	json_put_str(&w, "class", str_of(class_name(m->class)));
	json_put_str(&w, "delivery", uuid_text(a, m->delivery));
	json_put_str(&w, "notification", uuid_text(a, m->notification));
	json_put_i64(&w, "attempt", m->attempt);
	json_put_str(&w, "to", m->to);
	json_put_str(&w, "to_name", m->to_name);
	json_put_str(&w, "platform", m->platform);
	json_put_str(&w, "subject", m->subject);
	json_put_str(&w, "text", m->text);
	json_put_str(&w, "html", m->html);
	json_put_str(&w, "url", m->url);
	json_put_str(&w, "data", m->data);
	json_put_str(&w, "locale", m->locale);
	json_put_str(&w, "category", m->category);
	json_put_str(&w, "unsubscribe", m->unsubscribe);
	json_put_str(&w, "collapse_key", m->collapse_key);
	json_put_str(&w, "traceparent", m->traceparent);
	json_put_i64(&w, "expires_us", m->expires_us);
	json_put_bool(&w, "urgent", m->urgent);
	json_put_str(&w, "raw", m->raw);
	json_put_i64(&w, "at_us", time_utc_us());
	json_end(&w);
	buf_putc(out, '\n');
}

/* "soft.", "soft.3.", "slow.soft." */
static SendOutcome outcome_of(const Message *m)
{
	Str rest = m->to, word, number;
	uint64_t until;

	if (str_starts(rest, S("slow.")))
		rest = str_sub(rest, 5, rest.len);
	if (!str_split(&rest, '.', &word) || !rest.at)
		return SEND_ACCEPTED;
	for (int i = 0; i < SEND_OUTCOMES; i++) {
		if (!str_eq(str_of(outcome_name((SendOutcome)i)), word))
			continue;
		if (str_split(&rest, '.', &number) && rest.at && str_to_u64(number, &until) &&
		    (uint64_t)m->attempt > until)
			return SEND_ACCEPTED;
		return (SendOutcome)i;
	}
	return SEND_ACCEPTED;
}

typedef struct Writing {
	int fd, errnum;
	Str text;
} Writing;

static void write_away(void *arg)
{
	Writing *w = arg;

	if (write(w->fd, w->text.at, w->text.len) != (ssize_t)w->text.len)
		w->errnum = errno ? errno : EIO;
}

static Err *write_line(Arena *a, const Record *record, Str text)
{
	Writing w = { .fd = record->fd, .text = text };

	TRY(work_run(write_away, &w));
	return w.errnum ? err_errno(a, w.errnum, "record.write",
	                            "a message could not be written down")
	                : NULL;
}

static Err *record_send(void *state, Arena *a, const Message *m, SendResult *out)
{
	const Record *record = state;
	AUTO(buf_fini) Buf line = { .limit = 4 << 20 };

	if (str_starts(m->to, S("unsent.")))
		return err_new(a, ERR_IO, "record.unsent", "that was to fail before the wire");
	if (str_starts(m->to, S("hang.")) && m->attempt == 1) /* until somebody ends the process */
		TRY(fiber_sleep(3600 * US_PER_S));
	if (str_starts(m->to, S("slow.")))
		TRY(fiber_sleep(100 * US_PER_MS));
	*out = (SendResult){ .outcome = outcome_of(m), .code = S("record") };
	out->bad_address = out->outcome == SEND_HARD && !str_starts(m->text, S("unfit"));
	if (out->outcome != SEND_ACCEPTED && out->outcome != SEND_UNKNOWN)
		return NULL;
	put_line(&line, a, m);
	TRY(write_line(a, record, buf_str(&line)));
	if (out->outcome == SEND_ACCEPTED)
		out->id = str_fmt(a, "rec-%.*s-%" PRId64, STR_ARG(uuid_text(a, m->delivery)),
		                  m->attempt);
	return NULL;
}

static void record_close(void *arg)
{
	close(((Record *)arg)->fd);
}

static const ProviderKind kinds[] = {
	{ .name = "record",
	  .channel = CHANNEL_EMAIL,
	  .send = record_send,
	  .help = "writes mails down" },
	{ .name = "record",
	  .channel = CHANNEL_SMS,
	  .send = record_send,
	  .help = "writes SMS down" },
	{ .name = "record",
	  .channel = CHANNEL_PUSH,
	  .send = record_send,
	  .can_dedupe = true,
	  .help = "writes pushes down" },
};

Err *record_add(Arena *a, Providers *providers, Str path)
{
	Record *record = ARENA_NEW(a, Record);

	record->fd = open(str_z(a, path), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (record->fd < 0)
		return err_errno(a, errno, "base.file", "%.*s", STR_ARG(path));
	arena_defer(a, record_close, record);
	for (size_t i = 0; i < COUNT(kinds); i++)
		TRY(provider_add(providers, &(Provider){ .name = S("record"),
		                                         .kind = &kinds[i],
		                                         .state = record,
		                                         .order = 1000000 }));
	return NULL;
}
