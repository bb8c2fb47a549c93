-- Reports that are kept: report.h.

--- row report: id uuid, project int, name text, question json, days int, cron text?, workflow text, recipients json, created_at time, next_at time?, sent_at time?, error text

--- exec report_add(report)
insert into reports (id, project, name, question, days, cron, workflow, recipients, created_at, next_at, sent_at, error)
values (:id, :project, :name, :question, :days, :cron, :workflow, :recipients, :created_at, :next_at, :sent_at, :error)

--- one report_by_id(id uuid) -> report
select id, project, name, question, days, cron, workflow, recipients, created_at, next_at, sent_at, error from reports where id = :id

--- many reports_after(project int, after uuid, most int) -> report
select id, project, name, question, days, cron, workflow, recipients, created_at, next_at, sent_at, error from reports
where project = :project and id > :after order by id limit :most

--- many reports_due(now time, most int) -> report
select id, project, name, question, days, cron, workflow, recipients, created_at, next_at, sent_at, error from reports
where next_at is not null and next_at <= :now order by next_at limit :most

--- exec report_sent(id uuid, next_at time?, sent_at time?, error text)
update reports set next_at = :next_at, sent_at = coalesce(:sent_at, sent_at), error = :error where id = :id

--- exec report_remove(id uuid)
delete from reports where id = :id
