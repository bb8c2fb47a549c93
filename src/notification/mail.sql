-- Mails that were handed in: see mail_store.h.

--- row mail: id uuid, mode text, state text, sender text, recipients int, subject text, message_id text, source text, bytes int, received_at time, settled_at time?

--- row mail_to: mail_id uuid, n int, address text, state text, attempts int, doubts int, reply text, notification_id uuid?, updated_at time

--- exec mail_add(mail)
insert into mails (id, mode, state, sender, recipients, subject, message_id, source, bytes, received_at, settled_at)
values (:id, :mode, :state, :sender, :recipients, :subject, :message_id, :source, :bytes, :received_at, :settled_at)

--- exec mail_text_add(id uuid, raw bytes)
insert into mail_texts (id, raw) values (:id, :raw)

--- exec mail_to_add(mail_to)
insert into mail_recipients (mail_id, n, address, state, attempts, doubts, reply, notification_id, updated_at)
values (:mail_id, :n, :address, :state, :attempts, :doubts, :reply, :notification_id, :updated_at)

--- one mail_by_id(id uuid) -> mail
select id, mode, state, sender, recipients, subject, message_id, source, bytes, received_at, settled_at from mails where id = :id

--- one mail_text(id uuid) -> (raw bytes)
select raw from mail_texts where id = :id

--- many mail_tos(id uuid) -> mail_to
select mail_id, n, address, state, attempts, doubts, reply, notification_id, updated_at from mail_recipients
where mail_id = :id order by n

--- many mails_before(before uuid, most int) -> mail
select id, mode, state, sender, recipients, subject, message_id, source, bytes, received_at, settled_at from mails
where id < :before order by id desc limit :most

--- many mails_of_state_before(state text, before uuid, most int) -> mail
select id, mode, state, sender, recipients, subject, message_id, source, bytes, received_at, settled_at from mails
where state = :state and id < :before order by id desc limit :most

--- many mails_to_before(address text, before uuid, most int) -> mail
select m.id, m.mode, m.state, m.sender, m.recipients, m.subject, m.message_id, m.source, m.bytes, m.received_at, m.settled_at
from mail_recipients r join mails m on m.id = r.mail_id
where r.address = :address and r.mail_id < :before order by r.mail_id desc limit :most

--- many mail_texts_after(after uuid, most int) -> (id uuid, raw bytes)
select id, raw from mail_texts where id > :after order by id limit :most

--- many mails_counted() -> (state text, count int) ; scans
select state, count(*) as count from mails group by state

--- exec mail_to_hand(id uuid, n int, notification_id uuid, now time)
update mail_recipients set state = 'handed', notification_id = :notification_id, updated_at = :now
where mail_id = :id and n = :n and state = 'captured'

--- exec mail_release(id uuid, mode text, state text, settled_at time?)
update mails set mode = :mode, state = :state, settled_at = :settled_at where id = :id and state = 'captured'

--- exec mail_tos_release(id uuid, now time)
update mail_recipients set state = 'waiting', updated_at = :now where mail_id = :id and state = 'captured'

--- one mail_mode(name text) -> (mode text, author text, changed_at time)
select mode, author, changed_at from mail_modes where name = :name

--- exec mail_mode_set(name text, mode text, author text, now time)
insert into mail_modes (name, mode, author, changed_at) values (:name, :mode, :author, :now)
on conflict (name) do update set mode = excluded.mode, author = excluded.author, changed_at = excluded.changed_at

--- exec mail_mode_clear(name text)
delete from mail_modes where name = :name

--- exec mail_secret_add(name text, value bytes, now time)
insert into notification_secrets (name, value, created_at) values (:name, :value, :now) on conflict (name) do nothing

--- one mail_secret(name text) -> (value bytes)
select value from notification_secrets where name = :name

-- What mails of mode deliver are, unless somebody has said it already.
--- exec mail_workflow_add(name text, now time)
insert into workflows (name, class, category, channels, template, locale, digest_s, digest_at, digest_key, expires_s, version,
	created_at, updated_at)
values (:name, 'transactional', 'mail', 'email', '', '', 0, null, '', 0, 1, :now, :now) on conflict (name) do nothing
