-- What somebody wrote down.
create table notes (
	id :uuid primary key,
	owner :text not null,
	title :text not null,
	body :text not null,
	mood :int not null,
	version :int not null,
	created_at :time not null
) :strict;
create index notes_by_owner on notes (owner, id);
