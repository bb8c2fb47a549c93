-- Templates: see templates.h.

--- row template: name text, current int, newest int, version int, created_at time, updated_at time

--- one template_by_name(name text) -> template
select name, current, newest, version, created_at, updated_at from templates where name = :name

--- many templates_after(after text, most int) -> template
select name, current, newest, version, created_at, updated_at from templates where name > :after order by name limit :most

--- exec template_add(name text, now time)
insert into templates (name, current, newest, version, created_at, updated_at) values (:name, 1, 1, 1, :now, :now)

--- exec template_grown(name text, current int, newest int, now time)
update templates set current = :current, newest = :newest, version = version + 1, updated_at = :now where name = :name

--- exec template_version_add(name text, version int, note text, author text, now time)
insert into template_versions (name, version, note, author, created_at) values (:name, :version, :note, :author, :now)

--- many template_versions_of(name text, before int, most int) -> (version int, note text, author text, created_at time)
select version, note, author, created_at from template_versions where name = :name and version < :before order by version desc limit :most

--- row part: name text, version int, channel text, locale text, subject text, text text, html text, url text, icon text, data text

--- exec part_add(part)
insert into template_parts (name, version, channel, locale, subject, text, html, url, icon, data)
values (:name, :version, :channel, :locale, :subject, :text, :html, :url, :icon, :data)

--- many parts_of(name text, version int) -> part
select name, version, channel, locale, subject, text, html, url, icon, data from template_parts
where name = :name and version = :version order by channel, locale

--- many parts_for(name text, version int, channel text) -> part
select name, version, channel, locale, subject, text, html, url, icon, data from template_parts
where name = :name and version = :version and channel = :channel order by locale
