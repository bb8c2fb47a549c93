-- Projects, persons, and what keeps an event from being taken twice. Events themselves: segment.sql.

--- row project: id int, name text, ingest_key text, privacy text, created_at time

--- exec project_add(name text, ingest_key text, privacy text, now time)
insert into projects (name, ingest_key, privacy, created_at) values (:name, :ingest_key, :privacy, :now)

--- one project_by_name(name text) -> project
select id, name, ingest_key, privacy, created_at from projects where name = :name

--- one project_by_id(id int) -> project
select id, name, ingest_key, privacy, created_at from projects where id = :id

--- one project_by_key(ingest_key text) -> project
select id, name, ingest_key, privacy, created_at from projects where ingest_key = :ingest_key

--- one project_by_domain(domain text) -> project
select p.id, p.name, p.ingest_key, p.privacy, p.created_at from project_domains d join projects p on p.id = d.project
where d.domain = :domain

--- many projects_after(after int, most int) -> project
select id, name, ingest_key, privacy, created_at from projects where id > :after order by id limit :most

--- exec project_change(id int, ingest_key text, privacy text)
update projects set ingest_key = :ingest_key, privacy = :privacy where id = :id

--- exec project_domain_add(domain text, project int)
insert into project_domains (domain, project) values (:domain, :project)

--- exec project_domains_drop(project int) ; scans
delete from project_domains where project = :project

--- many project_domains(project int) -> (domain text) ; scans
select domain from project_domains where project = :project order by domain

-- keys: 16 bytes each (the list is what is scanned). How many were not known.
--- exec seen_add(project int, keys bytes, count int, at int) ; scans
--- sqlite
with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < :count)
insert into seen (project, key, at) select :project, substr(:keys, i * 16 + 1, 16), :at from n where true
on conflict do nothing
--- postgres
insert into seen (project, key, at) select :project, substring(:keys from (i * 16 + 1)::int for 16), :at
from generate_series(0, :count - 1) as i on conflict do nothing

-- Which of them this commit took, as places in keys.
--- many seen_mine(project int, keys bytes, count int, at int) -> (place int) ; scans
--- sqlite
with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < :count)
select i as place from n join seen on seen.project = :project and seen.key = substr(:keys, i * 16 + 1, 16) and seen.at = :at
--- postgres
select i as place from generate_series(0, :count - 1) as i
join seen on seen.project = :project and seen.key = substring(:keys from (i * 16 + 1)::int for 16) and seen.at = :at

--- exec seen_purge(before int) ; scans
delete from seen where at < :before

-- names: a JSON array of texts.
--- exec ids_add(project int, names json, now time) ; scans
--- sqlite
insert into ids (project, name, number, first_seen)
select :project, fresh.value, (select coalesce(max(number), 0) from ids where project = :project) + row_number() over (order by fresh.key), :now
from json_each(:names) as fresh
where not exists (select 1 from ids where ids.project = :project and ids.name = fresh.value)
--- postgres
insert into ids (project, name, number, first_seen)
select :project, fresh.value, (select coalesce(max(number), 0) from ids where project = :project) + row_number() over (order by fresh.at), :now
from json_array_elements_text(:names) with ordinality as fresh (value, at)
where not exists (select 1 from ids where ids.project = :project and ids.name = fresh.value)

-- In the order of names.
--- many ids_of(project int, names json) -> (number int) ; scans
--- sqlite
select ids.number from json_each(:names) as asked join ids on ids.project = :project and ids.name = asked.value
order by asked.key
--- postgres
select ids.number from json_array_elements_text(:names) with ordinality as asked (value, at)
join ids on ids.project = :project and ids.name = asked.value order by asked.at

--- one id_by_name(project int, name text) -> (number int)
select number from ids where project = :project and name = :name

--- one ids_most(project int) -> (number int)
select coalesce(max(number), 0) as number from ids where project = :project

--- many ids_after(project int, after int, most int) -> (name text, number int)
select name, number from ids where project = :project and number > :after order by number limit :most

--- exec merge_add(project int, one int, other int, now time)
insert into merges (project, one, other, at) values (:project, :one, :other, :now) on conflict do nothing

--- many merges_of(project int) -> (one int, other int)
select one, other from merges where project = :project

--- exec names_add(project int, kind text, names json, now time) ; scans
--- sqlite
insert into names (project, kind, name, first_seen)
select :project, :kind, fresh.value, :now from json_each(:names) as fresh where true on conflict do nothing
--- postgres
insert into names (project, kind, name, first_seen)
select :project, :kind, fresh.value, :now from json_array_elements_text(:names) as fresh (value) on conflict do nothing

--- many names_of(project int, kind text) -> (name text, first_seen time)
select name, first_seen from names where project = :project and kind = :kind order by name

--- one names_count(project int, kind text) -> (count int)
select count(*) as count from names where project = :project and kind = :kind

--- one salt_of(day int) -> (salt bytes)
select salt from salts where day = :day

--- exec salt_add(day int, salt bytes)
insert into salts (day, salt) values (:day, :salt) on conflict do nothing

--- exec salts_purge(before int)
delete from salts where day < :before

--- row failed: id uuid, project int, source text, code text, detail text, body text, received_at time, tries int

--- load failed_load(failed) into failed_events

--- one failed_by_id(id uuid) -> failed
select id, project, source, code, detail, body, received_at, tries from failed_events where id = :id

--- many failed_after(project int, after uuid, most int) -> failed
select id, project, source, code, detail, body, received_at, tries from failed_events
where project = :project and id > :after order by id limit :most

--- exec failed_remove(id uuid)
delete from failed_events where id = :id

--- exec failed_again(id uuid, code text, detail text)
update failed_events set code = :code, detail = :detail, tries = tries + 1 where id = :id

--- one failed_count(project int) -> (count int)
select count(*) as count from failed_events where project = :project

--- exec failed_purge(before uuid) ; scans
delete from failed_events where id < :before

-- Who somebody was is gone; the number stays, so that nobody else gets it.
--- exec id_erase(project int, number int)
update ids set name = 'erased:' || number where project = :project and number = :number

--- exec merges_erase(project int, number int) ; scans
delete from merges where project = :project and (one = :number or other = :number)

--- exec failed_erase(project int, name text) ; scans
--- sqlite
delete from failed_events where project = :project and instr(body, :name) > 0
--- postgres
delete from failed_events where project = :project and strpos(body, :name) > 0

-- numbers: a JSON array.
--- many ids_named(project int, numbers json) -> (number int, name text) ; scans
--- sqlite
select ids.number, ids.name from json_each(:numbers) as asked join ids on ids.project = :project and ids.number = asked.value
--- postgres
select ids.number, ids.name from json_array_elements_text(:numbers) as asked (value)
join ids on ids.project = :project and ids.number = asked.value::bigint
