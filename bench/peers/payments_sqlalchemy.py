# SPDX-License-Identifier: Apache-2.0
"""POST /v1/payment_intents with confirm=true as FastAPI and SQLAlchemy would have it: models of the same tables, a session for each
request, asyncpg below. The same flow as ours: the intent and the attempt are durable before the provider is asked; then, in one transaction,
the attempt ends, and there are a charge, what moved the balance, the ledger's group with its transfers and sums, events, and the outbox.
The provider is a function that says yes, on both sides. Run by uvicorn, one worker, with uvloop and httptools where they are installed.

    DATABASE_URL=postgresql://... TOKEN=... python3 -m uvicorn --app-dir bench/peers payments_sqlalchemy:app --no-access-log"""
import datetime
import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.parse
import uuid

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import sessionmaker

TOKEN_HASH = hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest()
TABLES = ("intents", "attempts", "charges", "payment_methods", "balance_transactions", "payment_events", "ledger_groups", "ledger_transfers",
          "ledger_accounts", "ledger_hot", "outbox")
app = FastAPI()
Base = automap_base()
state = {}


@app.on_event("startup")
async def start():
    engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=16)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: Base.metadata.reflect(sync, only=TABLES))
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, postgresql.UUID):
                column.type = postgresql.UUID(as_uuid=True)
    for name in "intents", "payment_methods":
        Base.metadata.tables[name].c.metadata.key = "metadata_"  # a name that models keep for themselves
    Base.prepare()
    state.update(session=sessionmaker(engine, class_=AsyncSession, expire_on_commit=False), tables=Base.classes)
    async with state["session"]() as session:
        accounts = Base.classes.ledger_accounts
        for code, side in ("provider:main", "asset"), ("sales", "income"):
            if not (await session.execute(select(accounts).where(accounts.code == code, accounts.currency == "eur"))).scalar_one_or_none():
                session.add(accounts(id=uuid7(), code=code, currency="eur", side=side, guard="none", hot=True, created_at=now()))
        await session.commit()


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def uuid7():
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(int=(milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)))


async def writer(authorization: str = Header("")):
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), TOKEN_HASH):
        raise HTTPException(401)


def fields(text):
    """A form with brackets: metadata[order]=7."""
    found = {}
    for name, value in urllib.parse.parse_qsl(text):
        first, bracket, key = name.partition("[")
        if bracket:
            found.setdefault(first, {})[key.rstrip("]")] = value
        else:
            found[first] = value
    return found


def shown(intent):
    return {"id": f"pi_{intent.id}", "object": "payment_intent", "amount": intent.amount, "amount_received": intent.received,
            "canceled_at": None, "cancellation_reason": None, "capture_method": "automatic", "confirmation_method": "automatic",
            "client_secret": f"pi_{intent.id}_secret_{intent.secret}", "created": int(intent.created_at.timestamp()), "currency": intent.currency,
            "customer": None, "description": None, "invoice": None, "last_payment_error": None,
            "latest_charge": f"ch_{intent.charge_id}" if intent.charge_id else None, "livemode": False, "metadata": json.loads(intent.metadata_),
            "next_action": None, "payment_method": f"pm_{intent.method_id}", "payment_method_types": ["card"], "receipt_email": None,
            "statement_descriptor": None, "status": intent.status}


def charge_shown(charge):
    return {"id": f"ch_{charge.id}", "object": "charge", "amount": charge.amount, "amount_captured": charge.captured, "amount_refunded": 0,
            "balance_transaction": f"txn_{charge.id}", "captured": True, "created": int(charge.created_at.timestamp()), "currency": charge.currency,
            "customer": None, "livemode": False, "paid": True, "payment_intent": f"pi_{charge.intent_id}", "refunded": False,
            "payment_method": f"pm_{charge.method_id}", "status": charge.status}


def tell(session, kind, aggregate, body):
    text, moment = json.dumps(body), now()
    session.add(state["tables"].payment_events(id=uuid7(), type=kind, object_id=body["id"], object=text, request="", request_key="",
                                               created_at=moment))
    session.add(state["tables"].outbox(id=uuid7(), type=kind, aggregate_type=aggregate, aggregate_id=body["id"], data=text, created_at=moment))


def provider_says(attempt):
    return f"sb_c_{attempt.amount}_{attempt.currency}_{uuid7()}"


async def begin(session, form):
    tables, moment = state["tables"], now()
    method = tables.payment_methods(id=uuid7(), type="card", provider="", token=form["payment_method"], brand="visa", last4="4242", exp_month=12,
                                    exp_year=2030, fingerprint="", billing="{}", metadata_="{}", created_at=moment)
    intent = tables.intents(id=uuid7(), status="processing", amount=int(form["amount"]), currency=form["currency"], received=0, manual=False,
                            method_id=method.id, secret=secrets.token_hex(12), description="", statement="", email="",
                            metadata_=json.dumps(form.get("metadata", {})), attempts=1, created_at=moment, cancel_reason="")
    attempt = tables.attempts(id=uuid7(), intent_id=intent.id, number=1, op="authorize", state="sent", provider="main", amount=intent.amount,
                              currency=intent.currency, capture=True, reference="", code="", message="", traceparent="", checks=0,
                              created_at=moment, sent_at=moment, check_at=moment + datetime.timedelta(seconds=30))
    session.add(method)
    await session.flush()
    session.add(intent)
    tell(session, "payment_intent.created", "payment_intent", shown(intent))
    await session.flush()
    session.add(attempt)
    await session.commit()
    return intent, attempt


async def book(session, intent, charge):
    tables, moment = state["tables"], now()
    accounts = {row.code: row for row in (await session.execute(select(tables.ledger_accounts).where(
        tables.ledger_accounts.currency == intent.currency, tables.ledger_accounts.code.in_(("provider:main", "sales"))))).scalars()}
    group = tables.ledger_groups(id=uuid7(), kind="intent", source=f"pi_{intent.id}", currency=intent.currency, memo="", happened_at=moment,
                                 created_at=moment, transfers=1)
    session.add(group)
    await session.flush()
    session.add(tables.ledger_transfers(id=uuid7(), group_id=group.id, deed="post", debit_id=accounts["provider:main"].id,
                                        credit_id=accounts["sales"].id, currency=intent.currency, amount=charge.captured, created_at=moment))
    session.add(tables.ledger_hot(account_id=accounts["provider:main"].id, debits=charge.captured, credits=0, held_debits=0, held_credits=0))
    session.add(tables.ledger_hot(account_id=accounts["sales"].id, debits=0, credits=charge.captured, held_debits=0, held_credits=0))


async def finish(session, intent_id, attempt_id, reference):
    tables, moment = state["tables"], now()
    intent = (await session.execute(select(tables.intents).where(tables.intents.id == intent_id).with_for_update())).scalar_one()
    attempt = (await session.execute(select(tables.attempts).where(tables.attempts.id == attempt_id))).scalar_one()
    attempt.state, attempt.reference, attempt.ended_at, attempt.check_at = "captured", reference, moment, None
    charge = tables.charges(id=uuid7(), intent_id=intent.id, attempt_id=attempt.id, status="succeeded", amount=intent.amount,
                            captured=intent.amount, refunded=0, disputed=0, voided=False, currency=intent.currency, method_id=intent.method_id,
                            provider="main", reference=reference, failure_code="", failure_message="", created_at=moment)
    session.add(charge)
    intent.status, intent.received, intent.charge_id = "succeeded", intent.amount, charge.id
    session.add(tables.balance_transactions(id=charge.id, type="charge", source_id=charge.id, amount=charge.captured, fee=0,
                                            currency=intent.currency, description="", created_at=moment,
                                            available_at=moment + datetime.timedelta(days=2)))
    tell(session, "charge.succeeded", "charge", charge_shown(charge))
    tell(session, "payment_intent.succeeded", "payment_intent", shown(intent))
    await book(session, intent, charge)
    await session.commit()
    return intent


@app.post("/v1/payment_intents", dependencies=[Depends(writer)])
async def intent_post(request: Request):
    form = fields((await request.body()).decode())
    async with state["session"]() as session:
        intent, attempt = await begin(session, form)
    reference = provider_says(attempt)
    async with state["session"]() as session:
        return shown(await finish(session, intent.id, attempt.id, reference))
