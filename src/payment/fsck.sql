-- What must be true of payments, each as a question for what is wrong: see payment_fsck.c. They read everything, of one moment.

--- one payment_count() -> (succeeded int, charges int, refunds int, attempts int, movements int); scans
select (select count(*) from intents where status = 'succeeded'), (select count(*) from charges), (select count(*) from refunds),
	(select count(*) from attempts), (select count(*) from balance_transactions)

-- One group for each intent that succeeded; what its provider's accounts were debited is what was received.
--- many intents_unbooked() -> (source text, groups int, booked int, received int); scans
--- sqlite
select 'pi_' || lower(substr(hex(i.id), 1, 8) || '-' || substr(hex(i.id), 9, 4) || '-' || substr(hex(i.id), 13, 4) || '-' ||
	substr(hex(i.id), 17, 4) || '-' || substr(hex(i.id), 21)), count(distinct g.id),
	coalesce(sum(case when d.code like 'provider:%' and t.deed in ('post', 'settle') then t.amount else 0 end), 0), i.received
from intents i
left join ledger_groups g on g.kind = 'intent' and g.source = 'pi_' || lower(substr(hex(i.id), 1, 8) || '-' || substr(hex(i.id), 9, 4) || '-' || substr(hex(i.id), 13, 4) || '-' ||
	substr(hex(i.id), 17, 4) || '-' || substr(hex(i.id), 21))
left join ledger_transfers t on t.group_id = g.id left join ledger_accounts d on d.id = t.debit_id
where i.status = 'succeeded' group by i.id, i.received
having count(distinct g.id) <> 1 or coalesce(sum(case when d.code like 'provider:%' and t.deed in ('post', 'settle')
	then t.amount else 0 end), 0) <> i.received
--- postgres
select 'pi_' || i.id::text, count(distinct g.id),
	coalesce(sum(case when d.code like 'provider:%' and t.deed in ('post', 'settle') then t.amount else 0 end), 0), i.received
from intents i
left join ledger_groups g on g.kind = 'intent' and g.source = 'pi_' || i.id::text
left join ledger_transfers t on t.group_id = g.id left join ledger_accounts d on d.id = t.debit_id
where i.status = 'succeeded' group by i.id, i.received
having count(distinct g.id) <> 1 or coalesce(sum(case when d.code like 'provider:%' and t.deed in ('post', 'settle')
	then t.amount else 0 end), 0) <> i.received

-- And no group for one that did not.
--- many intents_overbooked() -> (source text); scans
--- sqlite
select g.source from ledger_groups g where g.kind = 'intent' and g.source not in (
	select 'pi_' || lower(substr(hex(i.id), 1, 8) || '-' || substr(hex(i.id), 9, 4) || '-' || substr(hex(i.id), 13, 4) || '-' ||
	substr(hex(i.id), 17, 4) || '-' || substr(hex(i.id), 21)) from intents i where i.status = 'succeeded')
--- postgres
select g.source from ledger_groups g where g.kind = 'intent' and g.source not in (
	select 'pi_' || i.id::text from intents i where i.status = 'succeeded')

--- many refunds_unbooked() -> (source text, groups int, booked int, amount int); scans
--- sqlite
select 're_' || lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-' ||
	substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21)), count(distinct g.id),
	coalesce(sum(case when c.code like 'provider:%' and t.deed in ('post', 'settle') then t.amount else 0 end), 0), r.amount
from refunds r
left join ledger_groups g on g.kind = 'refund' and g.source = 're_' || lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-' ||
	substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21))
left join ledger_transfers t on t.group_id = g.id left join ledger_accounts c on c.id = t.credit_id
where r.status = 'succeeded' group by r.id, r.amount
having count(distinct g.id) <> 1 or coalesce(sum(case when c.code like 'provider:%' and t.deed in ('post', 'settle')
	then t.amount else 0 end), 0) <> r.amount
--- postgres
select 're_' || r.id::text, count(distinct g.id),
	coalesce(sum(case when c.code like 'provider:%' and t.deed in ('post', 'settle') then t.amount else 0 end), 0), r.amount
from refunds r
left join ledger_groups g on g.kind = 'refund' and g.source = 're_' || r.id::text
left join ledger_transfers t on t.group_id = g.id left join ledger_accounts c on c.id = t.credit_id
where r.status = 'succeeded' group by r.id, r.amount
having count(distinct g.id) <> 1 or coalesce(sum(case when c.code like 'provider:%' and t.deed in ('post', 'settle')
	then t.amount else 0 end), 0) <> r.amount

--- many intents_received_wrong() -> (id uuid, received int, captured int); scans
select i.id, i.received, coalesce(sum(c.captured), 0) from intents i left join charges c on c.intent_id = i.id
group by i.id, i.received having i.received <> coalesce(sum(c.captured), 0)

--- many charges_wrong() -> (id uuid, amount int, captured int, refunded int, disputed int, refunds int); scans
select c.id, c.amount, c.captured, c.refunded, c.disputed,
	coalesce(sum(case when r.status in ('pending', 'succeeded') then r.amount else 0 end), 0)
from charges c left join refunds r on r.charge_id = c.id
group by c.id, c.amount, c.captured, c.refunded, c.disputed
having c.captured > c.amount or c.refunded + c.disputed > c.captured
	or c.refunded <> coalesce(sum(case when r.status in ('pending', 'succeeded') then r.amount else 0 end), 0)

-- An intent is paid by one charge: two that hold money are a double payment.
--- many intents_paid_twice() -> (id uuid, charges int); scans
select intent_id, count(*) from charges where captured > 0 group by intent_id having count(*) > 1

-- Attempts that nobody asks about again, or that are asked about while another runs.
--- many attempts_wrong() -> (intent_id uuid, open int); scans
select intent_id, sum(case when state in ('created', 'sent', 'unknown') then 1 else 0 end) from attempts group by intent_id
having sum(case when state in ('created', 'sent', 'unknown') then 1 else 0 end) > 1
	or sum(case when state in ('created', 'sent', 'unknown') and check_at is null then 1 else 0 end) > 0

-- Each charge that holds money moved the balance by that much, once; each refund that succeeded too.
--- many movements_wrong() -> (id uuid, amount int, moved int); scans
select c.id, c.captured, coalesce(b.amount, 0) from charges c
left join balance_transactions b on b.source_id = c.id and b.type = 'charge' where c.captured <> coalesce(b.amount, 0)
union all
select r.id, -r.amount, coalesce(b.amount, 0) from refunds r
left join balance_transactions b on b.source_id = r.id and b.type = 'refund'
where r.status = 'succeeded' and -r.amount <> coalesce(b.amount, 0)
