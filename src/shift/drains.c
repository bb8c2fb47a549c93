/* SPDX-License-Identifier: Apache-2.0
 *
 * Which servers are out stands in the state of the upstream's subject, so it is kept over restarts, is the same for all gateways
 * that share the book, and has its entries in the journal. The keeper looks twenty times a second whether what the gateway does
 * is what is written there: after a change by another gateway, and for a server that a new configuration brings (it is taken
 * out before its first request if its name is in the list). A name that no configuration knows stays in the list, and harms
 * nobody. */
#include "shift/drains.h"

#include "gateway/snapshot.h"

Upstream *drains_upstream(const Snapshot *snap, Str name)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		if (str_eq(snap->targets[i].conf->name, name))
			return snap->targets[i].up;
	return NULL;
}

static void enforce(Subject *s, const Snapshot *snap)
{
	Upstream *up;

	if (s->kind != SUBJECT_UPSTREAM)
		return;
	subject_lock(s);
	up = s->conf ? drains_upstream(snap, s->old) : NULL;
	for (size_t i = 0; up && i < upstream_servers(up); i++) {
		UpstreamServerStats stats = upstream_server_stats(up, i);
		bool out = s->state.drained[0] && shift_state_is_drained(&s->state, stats.name);

		if (out != stats.out)
			upstream_take_out(up, i, out);
	}
	subject_unlock(s);
}

void drains_enforce(const Snapshot *snap)
{
	Subject *s = NULL;

	while ((s = subject_next(s)))
		enforce(s, snap);
}

DrainsLeft drains_left(const Upstream *up, const ShiftState *state, Str server)
{
	DrainsLeft left = { 0 };

	for (size_t i = 0; i < upstream_servers(up); i++) {
		UpstreamServerStats stats = upstream_server_stats(up, i);

		if (str_eq(stats.name, server))
			left.known = true;
		else if (stats.state == BALANCE_UP && stats.weight && !stats.ejected &&
		         !shift_state_is_drained(state, stats.name))
			left.others++;
	}
	return left;
}

void drains_put(JsonWriter *w, Subject *s, const Snapshot *snap)
{
	const Upstream *up;

	json_begin_object(w);
	subject_lock(s); /* the name is of a configuration that may be replaced */
	json_put_str(w, "upstream", s->old);
	up = drains_upstream(snap, s->old);
	subject_unlock(s);
	json_key(w, S("servers"));
	json_begin_array(w);
	for (size_t i = 0; up && i < upstream_servers(up); i++) {
		UpstreamServerStats stats = upstream_server_stats(up, i);

		upstream_put_server(w, &stats);
	}
	json_end(w);
	json_end(w);
}
