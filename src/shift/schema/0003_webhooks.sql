--- expands
-- How far each webhook has come: of each subject the revision that it has got last, and how its last try went.
create table shift_webhooks (
	webhook :text primary key,
	conf :text not null,
	tries :int not null,
	retry_at :time not null,
	gone :bool not null
) :strict;

create table shift_webhook_cursors (
	webhook :text not null,
	subject :text not null,
	revision :int not null,
	primary key (webhook, subject)
) :strict;
