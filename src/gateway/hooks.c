/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of hooks, one for the process: set before threads start, never changed. */
#include "gateway/hooks.h"

static Err *begin_nothing(Arena *a, Snapshot *snap)
{
	(void)a;
	(void)snap;
	return NULL;
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
	begin_nothing,  end_nothing,    choose_nothing, ready_nothing,
	rescue_nothing, answer_nothing, piece_nothing,  done_nothing,
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
