"""pywa with FastAPI and SQLModel: one row upserted for each status that its handler is given.

Run in an environment of its own that has pywa[fastapi], sqlmodel, psycopg, uvicorn, uvloop and httptools.
"""

import os
from contextlib import asynccontextmanager
from datetime import datetime

import uvicorn
from fastapi import FastAPI
from pywa_async import WhatsApp, types
from sqlalchemy import Column, DateTime
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


class Status(SQLModel, table=True):
    wamid: str = Field(primary_key=True)
    status: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    recipient: str | None = None


engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))


@asynccontextmanager
async def lifespan(_app):
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
whatsapp = WhatsApp(
    phone_id="106540352242922",
    token="bench",
    server=app,
    webhook_endpoint="/webhooks/whatsapp",
    verify_token="bench",
    app_secret=os.environ["APP_SECRET"],
)


@whatsapp.on_message_status
async def stored(_client: WhatsApp, status: types.MessageStatus) -> None:
    values = {
        "wamid": status.id,
        "status": str(status.status.value),
        "at": status.timestamp,
        "recipient": status.from_user.wa_id,
    }
    statement = insert(Status).values(values)
    async with AsyncSession(engine) as session:
        await session.execute(
            statement.on_conflict_do_update(index_elements=["wamid", "status"], set_=values)
        )
        await session.commit()


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
