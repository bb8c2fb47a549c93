--- expands
-- Questions that are kept, and those that are sent by the clock. question: as POST /v1/query takes it, without project, from and to; the
-- time is `days` whole days before the moment. "to": whom a notification is for, as the notification service has it.
create table reports (
	id :uuid primary key,
	project :int not null references projects (id),
	name :text not null,
	question :json not null,
	days :int not null check (days between 1 and 3660),
	cron :text,
	workflow :text not null,
	recipients :json not null,
	created_at :time not null,
	next_at :time,
	sent_at :time,
	error :text not null
) :strict;
create index reports_due on reports (next_at) where next_at is not null;
create index reports_by_project on reports (project, id);
