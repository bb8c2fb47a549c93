-- What must be true of billing, each as a question for what is wrong: see billing_fsck.c. They read everything, of one moment.

--- one billing_count() -> (invoices int, lines int, subscriptions int, customers int); scans
select (select count(*) from invoices), (select count(*) from invoice_lines), (select count(*) from subscriptions),
	(select count(*) from billing_customers)

--- many invoices_not_their_lines() -> (id uuid, total int, lines int); scans
select i.id, i.total, coalesce(sum(l.amount), 0) from invoices i left join invoice_lines l on l.invoice_id = i.id
group by i.id, i.total having i.total <> coalesce(sum(l.amount), 0)

--- many periods_twice() -> (item_id uuid, period_start time, times int); scans
select item_id, period_start, count(*) from invoice_lines where kind = 'period' group by item_id, period_start having count(*) > 1

-- Paid by an intent that received all of it, by a credit, or elsewhere.
--- many invoices_paid_wrong() -> (id uuid, due int, received int); scans
select i.id, i.due, coalesce(p.received, 0) from invoices i left join intents p on p.id = i.intent_id and p.status = 'succeeded'
where i.status = 'paid' and i.due > 0 and not i.outside and coalesce(p.received, 0) <> i.due

-- And each intent of an invoice that succeeded: its invoice knows.
--- many invoices_unpaid_wrong() -> (id uuid, status text); scans
select i.id, i.status from invoices i join intents p on p.invoice_id = i.id and p.status = 'succeeded' where i.status in ('draft', 'open')

--- many receivable_wrong() -> (currency text, owed int, booked int); scans
select currency, sum(owed), sum(booked) from (
	select currency, due - paid as owed, 0 as booked from invoices where status = 'open'
	union all
	select currency, 0, debits - credits from ledger_accounts where code = 'receivable'
	union all
	select a.currency, 0, h.debits - h.credits from ledger_hot h join ledger_accounts a on a.id = h.account_id where a.code = 'receivable'
) s group by currency having sum(owed) <> sum(booked)

--- many credits_wrong() -> (currency text, balance int, booked int); scans
select currency, sum(balance), sum(booked) from (
	select currency, -balance as balance, 0 as booked from billing_customers where currency <> ''
	union all
	select currency, 0, credits - debits from ledger_accounts where code like 'customer:%'
) s group by currency having sum(balance) <> sum(booked)

-- What nobody will look after again, though it is not over.
--- many subscriptions_forgotten() -> (id uuid, status text); scans
select id, status from subscriptions where (due_at is null) <> (ended_at is not null) or not (period_start < period_end)
