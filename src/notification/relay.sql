-- What becomes of mails that are sent on: see relay.c.

--- exec mail_to_sending(id uuid, n int, now time)
update mail_recipients set state = 'sending', attempts = attempts + 1, doubts = doubts + case when state = 'sending' then 1 else 0 end,
	updated_at = :now
where mail_id = :id and n = :n and state in ('waiting', 'sending')

--- exec mail_to_settle(id uuid, n int, state text, reply text, now time)
update mail_recipients set state = :state, reply = :reply, updated_at = :now
where mail_id = :id and n = :n and state in ('waiting', 'sending')

--- one mail_open(id uuid) -> (waiting int, sent int, failed int)
select cast(coalesce(sum(case when state in ('waiting', 'sending') then 1 else 0 end), 0) as bigint) as waiting,
cast(coalesce(sum(case when state = 'sent' then 1 else 0 end), 0) as bigint) as sent,
cast(coalesce(sum(case when state = 'failed' then 1 else 0 end), 0) as bigint) as failed
from mail_recipients where mail_id = :id

--- exec mail_settle(id uuid, state text, now time)
update mails set state = :state, settled_at = :now where id = :id and settled_at is null

-- One that was captured goes its way after all.

--- many mails_old(before time, most int) -> (id uuid)
select id from mails where settled_at is not null and settled_at < :before limit :most

--- exec mail_text_remove(id uuid)
delete from mail_texts where id = :id

--- exec mail_tos_remove(id uuid)
delete from mail_recipients where mail_id = :id

--- exec mail_remove(id uuid)
delete from mails where id = :id
