--- expands
-- Writes that both sides of a route are to have: intents, what waits for the other side, and what a person must look at
-- (dual.h). `gate` is the key while the side asked first may still be at it, so that two of a key never overlap.
create table shift_writes (
	seq :serial,
	id :uuid not null unique,
	subject :text not null,
	route :text not null,
	write_key :text not null,
	gate :text,
	turn :int not null,
	state :text not null check (state in ('open', 'unknown', 'due', 'dead', 'skipped', 'differs')),
	target :text not null check (target in ('old', 'new')),
	method :text not null,
	path :bytes not null,
	authority :text not null,
	idempotency_key :text not null,
	repeats :bool not null,
	owner :uuid,
	fence :int not null,
	tries :int not null,
	fails :int not null,
	retry_at :time not null,
	made_at :time not null,
	status :int not null,
	reason :text not null,
	said :text not null,
	fields :bytes not null,
	body :bytes not null,
	answer :bytes not null
) :strict;
create unique index shift_writes_gate on shift_writes (subject, gate);
create index shift_writes_by_key on shift_writes (subject, write_key, turn);
create index shift_writes_due on shift_writes (subject, seq) where state in ('due', 'unknown');
create index shift_writes_open on shift_writes (made_at) where state = 'open';
create index shift_writes_differs on shift_writes (subject, seq) where state = 'differs';

-- Processes that have writes in their hands, and until when they are taken to be alive. `place`: where their number means something.
create table shift_writers (
	owner :uuid primary key,
	gateway :text not null,
	place :text not null,
	pid :int not null,
	until :time not null
) :strict;
