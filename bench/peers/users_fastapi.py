# SPDX-License-Identifier: Apache-2.0
"""GET /v1/users/{id} as FastAPI and asyncpg would have it: a pool, one query, a model for the answer. The same table, the same
fields, the same check of a bearer token, the same ETag as ours; no access log on either side. Run by uvicorn, one worker, with
uvloop and httptools where they are installed.

    DATABASE_URL=postgresql://... TOKEN=... python3 -m uvicorn --app-dir bench/peers users_fastapi:app --no-access-log"""
import datetime
import hashlib
import hmac
import json
import os
import typing
import uuid

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel

TOKEN_HASH = hashlib.sha256(os.environ["TOKEN"].encode()).hexdigest()
app = FastAPI()


class User(BaseModel):
    id: str
    status: str
    email: typing.Optional[str]
    email_verified: bool
    username: typing.Optional[str]
    external: typing.Optional[str]
    name: str
    locale: typing.Optional[str]
    profile: dict
    roles: typing.List[str]
    second_factor: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime
    login_at: typing.Optional[datetime.datetime]
    password_at: typing.Optional[datetime.datetime]


@app.on_event("startup")
async def start():
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=16, max_size=16)


async def reader(authorization: str = Header("")):
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), TOKEN_HASH):
        raise HTTPException(401)


@app.get("/v1/users/{user_id}", response_model=User, dependencies=[Depends(reader)])
async def user_get(user_id: str, response: Response):
    row = await app.state.pool.fetchrow(
        "select id, status, email, email_verified_at, username, external, name, locale, profile, roles, version, created_at, "
        "updated_at, login_at, password_at, totp_at from users where id = $1", uuid.UUID(user_id[4:]))
    if not row:
        raise HTTPException(404)
    response.headers["ETag"] = f'"v{row["version"]}"'
    return User(id=f"usr_{row['id']}", status=row["status"], email=row["email"], email_verified=bool(row["email_verified_at"]),
                username=row["username"], external=row["external"], name=row["name"], locale=row["locale"] or None,
                profile=json.loads(row["profile"]), roles=row["roles"].split(), second_factor=bool(row["totp_at"]),
                created_at=row["created_at"], updated_at=row["updated_at"], login_at=row["login_at"], password_at=row["password_at"])
