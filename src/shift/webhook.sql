-- How far webhooks have come in the journal: see webhook_book.c.

--- row next: subject text, revision int, done_at time, who text, verb text, from_phase text, to_phase text, share_ppm int, why text, evidence json

--- exec webhook_add(webhook text, then time, gone bool)
insert into shift_webhooks (webhook, conf, tries, retry_at, gone) values (:webhook, '', 0, :then, :gone) on conflict do nothing

-- Who is new hears of what comes, not of what was.
--- exec webhook_begin(webhook text); scans
insert into shift_webhook_cursors (webhook, subject, revision)
select cast(:webhook as text), subject, revision from shift_states

--- one webhook_state(webhook text) -> (conf text, tries int, retry_at time, gone bool)
select conf, tries, retry_at, gone from shift_webhooks where webhook = :webhook

-- (Of each subject the next revision, which after a book was restored may be a later one than by one, whatever the clocks of gateways said; of all of these the earliest.)
--- one webhook_next(webhook text) -> next; scans
select j.subject, j.revision, j.done_at, j.who, j.verb, j.from_phase, j.to_phase, j.share_ppm, j.why, j.evidence
from shift_states s
left join shift_webhook_cursors c on c.webhook = :webhook and c.subject = s.subject
join shift_journal j on j.subject = s.subject and j.revision =
	(select min(n.revision) from shift_journal n where n.subject = s.subject and n.revision > coalesce(c.revision, 0))
where s.revision > coalesce(c.revision, 0)
order by j.done_at, j.subject limit 1

--- one webhook_waiting(webhook text) -> (waiting int); scans
select cast(coalesce(sum(s.revision - coalesce(c.revision, 0)), 0) as bigint) from shift_states s
left join shift_webhook_cursors c on c.webhook = :webhook and c.subject = s.subject

--- exec webhook_advance(webhook text, subject text, revision int)
insert into shift_webhook_cursors (webhook, subject, revision) values (:webhook, :subject, :revision)
on conflict (webhook, subject) do update set revision = :revision where shift_webhook_cursors.revision < :revision

--- exec webhook_tried(webhook text, conf text, tries int, retry_at time, gone bool)
update shift_webhooks set conf = :conf, tries = :tries, retry_at = :retry_at, gone = :gone where webhook = :webhook
