--- expands
-- Users who have had an event, as runs of gateways counted them: what is new since the row before, numbered by run. In
-- shift_seen, too, `gateway` is a run of a gateway since this step (keeper_int.h).
create table shift_users (
	subject :text not null,
	attempt :int not null,
	gateway :text not null,
	seq :int not null,
	step :int not null,
	users :text not null,
	primary key (subject, attempt, gateway, seq)
) :strict;
