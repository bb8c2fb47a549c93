-- Jobs: work that is done once it is due, by whichever instance has a hand free. docs/guide/events-and-jobs.md says more.

-- state: scheduled (not due yet), ready, running, done, failed (given up), cancelled.
create table jobs (
	id :uuid primary key,
	kind :text not null,
	unique_key :text,
	state :text not null check (state in ('scheduled', 'ready', 'running', 'done', 'failed', 'cancelled')),
	priority :int not null,
	data :json not null,
	traceparent :text,
	run_at :time not null,
	attempts :int not null,
	most_attempts :int not null,
	owner :text,
	fence :int not null,
	leased_until :time,
	cancel_asked :bool not null,
	progress_done :int not null,
	progress_total :int not null,
	progress_text :text not null,
	error :text,
	created_at :time not null,
	started_at :time,
	ended_at :time
) :strict;
create unique index jobs_unique on jobs (kind, unique_key)
	where unique_key is not null and state in ('scheduled', 'ready', 'running');
create index jobs_scheduled on jobs (run_at) where state = 'scheduled';
create index jobs_ready on jobs (kind, priority desc, run_at, id) where state = 'ready';
-- Those that run are those with a lease.
create index jobs_running on jobs (kind) where leased_until is not null;
create index jobs_leases on jobs (leased_until) where leased_until is not null;
create index jobs_ended on jobs (ended_at) where ended_at is not null;

-- What is put into the queue by the clock.
create table job_schedules (
	name :text primary key,
	kind :text not null,
	cron :text not null,
	data :json not null,
	next_at :time not null,
	last_at :time
) :strict;
create index job_schedules_due on job_schedules (next_at);
