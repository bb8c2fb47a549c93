-- Where each move stands, what was done to it, what gateways have seen of it, and keys they share (book.h).
create table shift_states (
	subject :text primary key,
	revision :int not null,
	state :json not null,
	changed_at :time not null
) :strict;

create table shift_journal (
	subject :text not null,
	revision :int not null,
	done_at :time not null,
	who :text not null,
	verb :text not null,
	from_phase :text not null,
	to_phase :text not null,
	share_ppm :int not null,
	why :text not null,
	evidence :json not null,
	primary key (subject, revision)
) :strict;

create table shift_seen (
	subject :text not null,
	gateway :text not null,
	attempt :int not null,
	step :int not null,
	seen_at :time not null,
	evidence :json not null,
	primary key (subject, gateway)
) :strict;

create table shift_keys (
	name :text primary key,
	secret :text not null
) :strict;
