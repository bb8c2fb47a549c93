-- Sagas: what was begun across several systems and how far it has come (docs/guide/sagas.md).

-- step: forward the one to do, compensating the one to undo. epoch: rises whenever somebody takes it in hand; who has an older one
-- changes nothing. turn: that of the one job which may take it; a job of an older turn is over.
create table sagas (
	id :uuid primary key,
	type :text not null,
	version :int not null,
	unique_key :text,
	state :text not null check (state in ('running', 'committing', 'compensating', 'done', 'compensated', 'stuck')),
	stuck_in :text check (stuck_in in ('running', 'committing', 'compensating')),
	step :int not null,
	epoch :int not null,
	turn :int not null,
	asked :text check (asked in ('undo', 'retry')),
	data :json not null,
	traceparent :text not null,
	reason :text,
	message :text,
	error :text,
	deadline :time,
	next_at :time,
	created_at :time not null,
	changed_at :time not null,
	ended_at :time,
	check ((state = 'stuck') = (stuck_in is not null)),
	check ((state in ('done', 'compensated')) = (ended_at is not null))
) :strict;
-- Undone is as if it had never been: the same may be begun again.
create unique index sagas_unique on sagas (type, unique_key) where unique_key is not null and state <> 'compensated';
create index sagas_open on sagas (state) where ended_at is null;
create index sagas_ended on sagas (ended_at) where ended_at is not null;

-- A step's undo is written down ('registered') in the transaction before its first attempt.
create table saga_steps (
	saga :uuid not null references sagas (id) on delete cascade,
	n :int not null,
	direction :text not null check (direction in ('forward', 'undo')),
	name :text not null,
	kind :text not null check (kind in ('compensatable', 'pivot', 'retriable')),
	idem_key :text not null unique,
	state :text not null check (state in ('registered', 'running', 'done', 'refused', 'given_up')),
	attempts :int not null,
	failures :int not null,
	result :json,
	error :text,
	begun_at :time,
	ended_at :time,
	primary key (saga, n, direction)
) :strict;
