# SPDX-License-Identifier: Apache-2.0
"""POST /v1/notifications as FastAPI and asyncpg would have it: a model for the body, a pool, one transaction with the workflow read, the
notification and its job written. The same check of a bearer token as ours; no access log. Run by uvicorn, one worker.

    DATABASE_URL=postgresql://... TOKEN=... python3 -m uvicorn --app-dir bench/peers notifications_fastapi:app --no-access-log"""
import datetime
import hashlib
import hmac
import json
import os
import typing
import uuid

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

TOKEN_HASH = hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest()
app = FastAPI()


class To(BaseModel):
    recipient: typing.Optional[str] = Field(None, max_length=128)
    topic: typing.Optional[str] = Field(None, max_length=128)
    email: typing.Optional[str] = Field(None, max_length=254, regex=r"^[^@\s]+@[^@\s]+$")
    phone: typing.Optional[str] = Field(None, max_length=40)
    locale: typing.Optional[str] = Field(None, max_length=35)

    class Config:
        extra = "forbid"


class New(BaseModel):
    workflow: str = Field(max_length=128)
    to: typing.List[To] = Field(min_items=1, max_items=1000)
    data: dict = {}
    channels: typing.List[str] = []
    send_at: typing.Optional[datetime.datetime]
    expires_at: typing.Optional[datetime.datetime]
    collapse_key: str = Field("", max_length=200)

    class Config:
        extra = "forbid"


class Accepted(BaseModel):
    id: str
    workflow: str
    category: str
    state: str
    created_at: datetime.datetime
    send_at: typing.Optional[datetime.datetime]


@app.on_event("startup")
async def start():
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16)


async def sender(authorization: str = Header("")):
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), TOKEN_HASH):
        raise HTTPException(401)


@app.post("/v1/notifications", response_model=Accepted, status_code=202, dependencies=[Depends(sender)])
async def notification_post(new: New):
    now, one = datetime.datetime.now(datetime.timezone.utc), uuid.uuid4()
    async with app.state.pool.acquire() as db, db.transaction():
        row = await db.fetchrow("select class, category, channels from twin_workflows where name = $1", new.workflow)
        if not row:
            raise HTTPException(404)
        await db.execute("insert into twin_notifications values ($1, $2, $3, $4, 'accepted', $5, $6, $7, $8, $9, $10)", one, new.workflow,
                         row["class"], row["category"], json.dumps([to.dict(exclude_none=True) for to in new.to]),
                         " ".join(new.channels) or row["channels"], json.dumps(new.data), 100, new.send_at, now)
        await db.execute("insert into twin_jobs values ($1, 'expand', $2, 'scheduled', 100, $3, $4, $5) on conflict do nothing", uuid.uuid4(),
                         str(one), json.dumps({"id": str(one)}), new.send_at or now, now)
    return Accepted(id=f"ntf_{one}", workflow=new.workflow, category=row["category"], state="accepted", created_at=now, send_at=new.send_at)
