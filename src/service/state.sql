-- Numbers of a service for those who run it: see state.c.

-- Each count stops at `most`: a queue that long is told as that.
--- one service_numbers(most int) -> (waiting int, running int, failed int, held int, dead int); scans
select
	(select count(*) from (select 1 from jobs where state in ('scheduled', 'ready') limit :most) as j),
	(select count(*) from (select 1 from jobs where state = 'running' limit :most) as j),
	(select count(*) from (select 1 from jobs where state = 'failed' limit :most) as j),
	(select count(*) from (select 1 from event_held where dead_at is null limit :most) as e),
	(select count(*) from (select 1 from event_held where dead_at is not null limit :most) as e)
