/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes wrong with one request. Those things that a network and a dying machine do: an answer that never comes although the money has
 * moved is the one that all of this is for.
 *
 * The first time that a key comes, its token and its amount may ask for a fault; later the script alone says, so that whoever asks again
 * comes to an end. */
#include "base/arena.h"
#include "payment/fault_server_int.h"
#include "rt/fiber.h"

#include <stdlib.h>
#include <unistd.h>

enum { KILLED = 137 };

/* Of this kind: the server hangs up without an answer. */
static Err dropped =
	ERR_STATIC(CANCELLED, "fault.dropped", "the connection was dropped on purpose");

static bool first_time(FaultCall *c, Str key)
{
	return key.len && !map_put(&c->s->seen, str_dup(c->s->lasting, key), c->s);
}

static FaultHit choose(FaultCall *c, FaultOn on)
{
	FaultHit hit = { 0 };

	if (on != FAULT_ON_GET && first_time(c, fault_text(c, "key")))
		hit = fault_magic(fault_text(c, "token"), fault_number(c, "amount"));
	return hit.fault ? hit : fault_script_draw(c->s->script, on);
}

static Err *before(FaultCall *c, bool *go_on)
{
	*go_on = false;
	switch ((int)c->hit.fault) {
	case FAULT_DELAY:
		TRY(fiber_sleep(c->hit.us));
		break;
	case FAULT_DROP_BEFORE:
		return &dropped;
	case FAULT_DIE_BEFORE:
		_exit(KILLED);
	case FAULT_ERROR_BEFORE:
		return fault_say(c, 500, "error", "something broke on purpose; nothing was done");
	case FAULT_BUSY:
		return fault_say(c, 429, "busy", "ask again in a second");
	}
	*go_on = true;
	return NULL;
}

static Err *after(FaultCall *c)
{
	switch ((int)c->hit.fault) {
	case FAULT_LATE:
		return fiber_sleep(c->hit.us);
	case FAULT_DROP_AFTER:
		return &dropped;
	case FAULT_DIE_AFTER:
		_exit(KILLED);
	case FAULT_ERROR_AFTER:
		return fault_say(c, 500, "error", "something broke on purpose");
	case FAULT_GARBAGE:
		c->body.len /= 2;
		c->w.broken = true;
		break;
	}
	return NULL;
}

Err *fault_strike(FaultCall *c, FaultOn on, FaultHandler *fn)
{
	bool go_on;

	http_keep_on(c->x); /* a client that hangs up changes nothing here */
	c->hit = choose(c, on);
	TRY(before(c, &go_on));
	if (!go_on)
		return NULL;
	TRY(fn(c));
	TRY(fault_book_sync(c->s->conf.book));
	return after(c);
}
