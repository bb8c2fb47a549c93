-- Events as columns, a row a segment or a column: segment.h.

--- row segment: id int, project int, day int, events int, first_ms int, last_ms int, packed bytes?

--- one segment_add(project int, day int, events int, first_ms int, last_ms int, now time, packed bytes?) -> (id int)
insert into segments (project, day, events, first_ms, last_ms, created_at, packed)
values (:project, :day, :events, :first_ms, :last_ms, :now, :packed) returning id

--- exec segment_part_add(segment int, name text, data bytes)
insert into segment_parts (segment, name, data) values (:segment, :name, :data)

--- exec segment_remove(id int)
delete from segments where id = :id

--- many segments_listed(project int, day int) -> (id int, events int, first_ms int, last_ms int, created_at time, is_packed bool)
select id, events, first_ms, last_ms, created_at, packed is not null as is_packed from segments
where project = :project and day = :day order by events, id

--- one segment_by_id(id int) -> segment
select id, project, day, events, first_ms, last_ms, packed from segments where id = :id

--- one segment_part(segment int, name text) -> (data bytes)
select data from segment_parts where segment = :segment and name = :name

--- many segment_part_names(segment int) -> (name text)
select name from segment_parts where segment = :segment order by name

-- Days that have more pieces than they need.
--- many days_in_pieces(least int) -> (project int, day int, pieces int, newest time) ; scans
select project, day, count(*) as pieces, max(created_at) as newest from segments
where events < 131072 group by project, day having count(*) >= :least order by project, day

--- exec day_add(project int, day int, events int)
insert into days (project, day, version, events) values (:project, :day, 1, :events)
on conflict (project, day) do update set version = days.version + 1, events = days.events + excluded.events

--- many days_between(project int, from_day int, to_day int) -> (day int, version int, events int)
select day, version, events from days where project = :project and day between :from_day and :to_day order by day

--- one day_of(project int, day int) -> (version int, events int)
select version, events from days where project = :project and day = :day

--- many rollups_between(project int, from_day int, to_day int) -> (day int, version int, data bytes)
select r.day, r.version, r.data from rollups r join days d on d.project = r.project and d.day = r.day and d.version = r.version
where r.project = :project and r.day between :from_day and :to_day order by r.day

--- exec rollup_set(project int, day int, version int, data bytes)
insert into rollups (project, day, version, data) values (:project, :day, :version, :data)
on conflict (project, day) do update set version = excluded.version, data = excluded.data

--- many days_uncounted(before int, most int) -> (project int, day int, version int) ; scans
select d.project, d.day, d.version from days d left join rollups r on r.project = d.project and r.day = d.day
where d.day < :before and (r.version is null or r.version <> d.version) order by d.day limit :most

--- many days_of_all() -> (project int, day int, version int, events int) ; scans
select project, day, version, events from days order by project, day

--- one project_state(project int) -> (events int, days int, first_day int?, last_day int?)
select cast(coalesce(sum(events), 0) as bigint) as events, count(*) as days, min(day) as first_day, max(day) as last_day from days where project = :project

--- one project_counted(project int) -> (days int)
select count(*) as days from days d join rollups r on r.project = d.project and r.day = d.day and r.version = d.version
where d.project = :project

--- one project_pieces(project int) -> (segments int, small int)
select count(*) as segments, count(packed) as small from segments where project = :project

-- Another one whenever an answer about these days may be another.
--- one days_stamp(project int, from_day int, to_day int) -> (versions int, days int, merges int, last_merge time?)
select cast(coalesce(sum(version), 0) as bigint) as versions, count(*) as days,
(select count(*) from merges where merges.project = :project) as merges,
(select max(at) from merges where merges.project = :project) as last_merge
from days where project = :project and day between :from_day and :to_day
