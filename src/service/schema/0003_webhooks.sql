-- Those who are told of a service's events by HTTP, and what each was or is to be told. The secret is kept as it is: it signs.
create table webhook_endpoints (
	id :uuid primary key,
	url :text not null,
	types :json not null,
	description :text not null,
	status :text not null check (status in ('enabled', 'disabled')),
	reason :text not null,
	metadata :json not null,
	api_version :text not null,
	secret :text not null,
	old_secret :text not null,
	old_until :time,
	failing_since :time,
	created_at :time not null,
	updated_at :time not null
) :strict;
create table webhook_deliveries (
	id :uuid primary key,
	endpoint_id :uuid not null references webhook_endpoints (id) on delete cascade,
	event_id :text not null,
	type :text not null,
	body :text not null,
	state :text not null check (state in ('waiting', 'delivered', 'dead')),
	tries :int not null,
	status :int not null, -- of the last answer; 0: none came
	error :text not null,
	created_at :time not null,
	tried_at :time,
	ended_at :time,
	unique (endpoint_id, event_id)
) :strict;
create index webhook_deliveries_by_state on webhook_deliveries (endpoint_id, state, id);
create index webhook_deliveries_by_age on webhook_deliveries (ended_at);
