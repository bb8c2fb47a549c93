-- See schema/0001_effects.sql.

--- one aggregate_next(name text) -> (n int)
insert into aggregates (name, n) values (:name, 1) on conflict (name) do update set n = aggregates.n + 1 returning n

--- exec entry_add(aggregate text, n int)
insert into entries (aggregate, n) values (:aggregate, :n)

--- exec effect_add(consumer text, aggregate text, n int)
insert into effects (consumer, aggregate, n) values (:consumer, :aggregate, :n)

--- many effects_of(consumer text) -> (aggregate text, n int); scans
select aggregate, n from effects where consumer = :consumer order by pos

--- one effects_count(consumer text) -> (count int); scans
select count(*) from effects where consumer = :consumer

--- exec job_entry_add(job uuid)
insert into job_entries (job) values (:job)

--- exec job_effect_add(job uuid, fence int)
insert into job_effects (job, fence) values (:job, :fence)

--- many job_effects_all() -> (job uuid, fence int); scans
select job, fence from job_effects order by pos

--- one left_to_do(consumer text) -> (events int, jobs int); scans
select (select count(*) from entries) - (select count(*) from effects where consumer = :consumer),
	(select count(*) from jobs where state in ('scheduled', 'ready', 'running'))

-- As another runner that had it and began.
--- exec job_steal(id uuid)
update jobs set fence = fence + 1 where id = :id

--- exec schedule_due(name text, next_at time)
update job_schedules set next_at = :next_at where name = :name
