/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of hooks, one for the process: set before threads start, never changed. */
#include "gateway/hooks.h"

#include "gateway/waiting.h"

static Err *begin_nothing(Arena *a, Snapshot *snap)
{
	(void)a;
	(void)snap;
	return NULL;
}

static void take_nothing(Snapshot *snap)
{
	(void)snap;
}

static size_t wait_for_nothing(const GatewayConf *conf, Str out[])
{
	(void)conf;
	(void)out;
	return 0;
}

static void end_nothing(void)
{
}

static void choose_nothing(Passage *p)
{
	(void)p;
}

static Err *ready_nothing(Passage *p)
{
	(void)p;
	return NULL;
}

static bool rescue_nothing(Passage *p, const Err *err)
{
	(void)p;
	(void)err;
	return false;
}

static void answer_nothing(Passage *p, Headers *headers)
{
	(void)p;
	(void)headers;
}

static void piece_nothing(Passage *p, Str piece)
{
	(void)p;
	(void)piece;
}

static void done_nothing(Passage *p, const Err *err)
{
	(void)p;
	(void)err;
}

static const GatewayHooks nothing = {
	begin_nothing, take_nothing,   wait_for_nothing, end_nothing,   choose_nothing,
	ready_nothing, rescue_nothing, answer_nothing,   piece_nothing, done_nothing,
};

static const GatewayHooks *hooked = &nothing;

void gateway_hook(const GatewayHooks *hooks)
{
	hooked = hooks;
}

const GatewayHooks *gateway_hooks(void)
{
	return hooked;
}

size_t gateway_waiting(const GatewayConf *conf, Str out[])
{
	return hooked->waiting(conf, out);
}
