-- Events: what this database tells (outbox), and what it has been told (inbox, cursors, held events). docs/guide/events-and-jobs.md
-- says how they work together.

-- An event is written in the transaction of its cause. `seq` is its place in the one order that all readers follow: on SQLite the
-- order of the rows, for there is one writer; on PostgreSQL given once the transaction is committed (outbox.c).
--- sqlite
create table outbox (
	seq integer primary key autoincrement,
	id :uuid not null unique,
	type :text not null,
	aggregate_type :text not null,
	aggregate_id :text not null,
	data :json not null,
	traceparent :text,
	created_at :time not null
) :strict;
--- postgres
create table outbox (
	pos :serial,
	seq :int unique,
	id :uuid not null unique,
	type :text not null,
	aggregate_type :text not null,
	aggregate_id :text not null,
	data :json not null,
	traceparent :text,
	created_at :time not null
);
create index outbox_without_seq on outbox (pos) where seq is null;
create table outbox_head (
	one :int primary key check (one = 1),
	seq :int not null
);
insert into outbox_head (one, seq) values (1, 0);
--- all

-- Who reads the outbox and how far each has come: what all have read may go.
create table outbox_readers (
	name :text primary key,
	seq :int not null,
	seen_at :time not null
) :strict;

-- What has taken effect here, once and for all: written in the transaction of the effect.
create table inbox (
	consumer :text not null,
	source :text not null,
	id :uuid not null,
	taken_at :time not null,
	primary key (consumer, source, id)
) :strict;
create index inbox_by_time on inbox (taken_at);

-- Where a consumer is in one part of one source, and which of its instances has it: `fence` rises with each new owner.
create table event_cursors (
	consumer :text not null,
	source :text not null,
	part :int not null,
	seq :int not null,
	owner :text not null,
	fence :int not null,
	leased_until :time not null,
	primary key (consumer, source, part)
) :strict;

-- Events whose effect failed, and those of the same aggregate behind them. dead_at: given up; a person looks.
create table event_held (
	pos :serial,
	consumer :text not null,
	source :text not null,
	part :int not null,
	id :uuid not null,
	subject :text not null,
	type :text not null,
	event :json not null,
	attempts :int not null,
	next_at :time not null,
	dead_at :time,
	error :text not null,
	held_at :time not null,
	unique (consumer, source, id)
) :strict;
create index event_held_by_subject on event_held (consumer, source, subject, pos) where dead_at is null;
create index event_held_due on event_held (consumer, source, part, next_at) where dead_at is null;
create index event_held_dead on event_held (dead_at) where dead_at is not null;
