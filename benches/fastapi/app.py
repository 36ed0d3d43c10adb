"""Four endpoints of chat-api on FastAPI and SQLModel, to compare with.

The schema is chat-api's own, made by its migrations, and so are the effects: a write leaves the task, what changed, the
person's counter and the event in one transaction. What it leaves out speaks for it: no idempotency keys, no limits, no
traces, and nobody publishes the events.
"""

import ctypes
import json
import os
import signal
import uuid
import zlib
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Annotated, Any, Literal

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, SmallInteger, Text, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REGCONFIG, insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import Field, SQLModel, select

# A worker must not outlive the process that started it, however that one ends.
ctypes.CDLL(None).prctl(1, signal.SIGTERM)

PRIORITIES = ["none", "low", "medium", "high", "urgent"]
PAGE = 50


class Task(SQLModel, table=True):
    __tablename__ = "task"
    __table_args__ = {"schema": "chat"}
    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    user_id: str
    title: str
    description: str
    status: str
    priority: int = Field(sa_type=SmallInteger)
    tags: list[str] = Field(sa_type=ARRAY(Text))
    due_kind: str | None = None
    due_local: datetime | None = Field(default=None, sa_type=DateTime)
    due_zone: str | None = None
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reminders: list[Any] = Field(sa_type=JSONB)
    version: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    completed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    search_language: str = Field(sa_type=REGCONFIG)


class TaskChange(SQLModel, table=True):
    __tablename__ = "task_change"
    __table_args__ = {"schema": "chat"}
    task_id: int = Field(primary_key=True, sa_type=BigInteger)
    version: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str
    changed_at: datetime = Field(sa_type=DateTime(timezone=True))
    correlation_id: str
    fields: dict[str, Any] = Field(sa_type=JSONB)


class Profile(SQLModel, table=True):
    __tablename__ = "profile"
    __table_args__ = {"schema": "chat"}
    user_id: str = Field(primary_key=True)
    language: str
    user_sequence: int = Field(sa_type=BigInteger)


class Outbox(SQLModel, table=True):
    __tablename__ = "outbox"
    __table_args__ = {"schema": "chat"}
    id: uuid.UUID = Field(primary_key=True)
    aggregatetype: str
    aggregateid: str
    type: str
    payload: bytes = Field(sa_type=LargeBinary)
    slot: int = Field(sa_type=SmallInteger)


class Due(SQLModel):
    kind: Literal["instant"] = "instant"
    at: datetime


class NewTask(SQLModel):
    title: str = Field(min_length=1, max_length=500)
    description: str = Field(default="", max_length=200_000)
    priority: Literal["none", "low", "medium", "high", "urgent"] = "none"
    tags: list[str] = Field(default_factory=list, max_length=50)
    due: Due | None = None


class TaskView(SQLModel):
    id: int
    user_id: str
    title: str
    description: str
    status: str
    priority: str
    tags: list[str]
    due: Due | None
    reminders: list[Any]
    version: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class TaskPage(SQLModel):
    items: list[TaskView]
    next: str | None


def view(task: Task) -> TaskView:
    return TaskView.model_construct(
        id=task.id,
        user_id=task.user_id,
        title=task.title,
        description=task.description,
        status=task.status,
        priority=PRIORITIES[task.priority],
        tags=task.tags,
        due=None if task.due_at is None else Due.model_construct(kind="instant", at=task.due_at),
        reminders=task.reminders,
        version=task.version,
        created_at=task.created_at,
        updated_at=task.updated_at,
        completed_at=task.completed_at,
    )


engine = create_async_engine(
    os.environ["DATABASE_URL"].partition("?")[0].replace("postgres://", "postgresql+asyncpg://"),
    pool_size=int(os.environ["POOL_SIZE"]),
    max_overflow=0,
)
keys: dict[str, Any] = {}
verified: dict[str, tuple[str, int]] = {}


@asynccontextmanager
async def lifespan(_: FastAPI):
    for key in jwt.PyJWKSet.from_dict(json.loads(os.environ["JWKS"])).keys:
        keys[key.key_id] = key.key
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


def caller(authorization: Annotated[str, Header()]) -> str:
    """Whose token it is; one that was checked is not checked again while it is valid, as in chat-api."""
    token = authorization.removeprefix("Bearer ")
    if (known := verified.get(token)) and known[1] > datetime.now().timestamp():
        return known[0]
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key, algorithms=["ES256"], audience="taskflow", issuer=os.environ["ISSUER"])
    except (jwt.InvalidTokenError, KeyError) as error:
        raise HTTPException(401) from error
    verified[token] = (claims["sub"], claims["exp"])
    return claims["sub"]


# No coroutine of its own for the dependency: FastAPI would run a plain function on a thread.
async def current_user(authorization: Annotated[str, Header()]) -> str:
    return caller(authorization)


async def session():
    async with AsyncSession(engine, expire_on_commit=False) as open_session:
        yield open_session


User = Annotated[str, Depends(current_user)]
Session = Annotated[AsyncSession, Depends(session)]


async def raise_counter(database: AsyncSession, user: str):
    statement = insert(Profile).values(user_id=user, user_sequence=1)
    statement = statement.on_conflict_do_update(
        index_elements=["user_id"], set_={"user_sequence": Profile.user_sequence + 1}
    )
    return (await database.execute(statement.returning(Profile.user_sequence, Profile.language))).one()


def record(database: AsyncSession, task: Task, kind: str, sequence: int, fields: dict[str, Any]) -> None:
    correlation = str(uuid.uuid4())
    database.add(
        TaskChange(
            task_id=task.id,
            version=task.version,
            kind=kind,
            changed_at=task.updated_at,
            correlation_id=correlation,
            fields=fields,
        )
    )
    event_id = uuid.uuid4()
    event = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": "/services/chat-api",
        "type": f"dev.taskflow.task.{kind}.v1",
        "time": task.updated_at.isoformat(),
        "correlationid": correlation,
        "data": {"user_sequence": sequence, "task": view(task).model_dump(mode="json")},
    }
    database.add(
        Outbox(
            id=event_id,
            aggregatetype="task-events",
            aggregateid=str(task.id),
            type=event["type"],
            payload=json.dumps(event).encode(),
            slot=zlib.crc32(str(task.id).encode()) & 15,
        )
    )


@app.get("/ready")
async def ready(database: Session) -> str:
    await database.execute(select(1))
    return "ready"


@app.post("/tasks", status_code=201)
async def create(new: NewTask, user: User, database: Session, response: Response) -> TaskView:
    now = datetime.now(timezone.utc)
    raised = await raise_counter(database, user)
    due = new.due and new.due.at.astimezone(timezone.utc)
    task = Task(
        user_id=user,
        title=new.title,
        description=new.description,
        status="open",
        priority=PRIORITIES.index(new.priority),
        tags=sorted(set(new.tags)),
        due_kind="instant" if due else None,
        due_local=due and due.replace(tzinfo=None),
        due_at=due,
        reminders=[],
        version=1,
        created_at=now,
        updated_at=now,
        search_language=raised.language,
    )
    database.add(task)
    await database.flush()  # the event holds the id
    fields = {name: {"from": None, "to": value} for name, value in new.model_dump(mode="json").items() if value}
    record(database, task, "created", raised.user_sequence, fields)
    await database.commit()
    response.headers["etag"] = f'"{task.version}"'
    response.headers["location"] = f"/tasks/{task.id}"
    return view(task)


@app.get("/tasks")
async def list_tasks(
    user: User,
    database: Session,
    status: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> TaskPage:
    statement = select(Task).where(Task.user_id == user)
    if status:
        statement = statement.where(Task.status.in_(status))
    statement = statement.order_by(func.coalesce(Task.due_at, literal_column("'infinity'::timestamptz")), Task.id).limit(limit + 1)
    tasks = (await database.execute(statement)).scalars().all()
    following = str(tasks[limit - 1].id) if len(tasks) > limit else None
    return TaskPage.model_construct(items=[view(task) for task in tasks[:limit]], next=following)


@app.get("/tasks/{number}")
async def read(number: int, user: User, database: Session, response: Response) -> TaskView:
    found = await database.execute(select(Task).where(Task.id == number, Task.user_id == user))
    task = found.scalar_one_or_none()
    if task is None:
        raise HTTPException(404)
    response.headers["etag"] = f'"{task.version}"'
    return view(task)


@app.post("/tasks/{number}/complete")
async def complete(number: int, user: User, database: Session, response: Response) -> TaskView:
    found = await database.execute(select(Task).where(Task.id == number, Task.user_id == user).with_for_update())
    task = found.scalar_one_or_none()
    if task is None:
        raise HTTPException(404)
    if task.status == "open":
        now = datetime.now(timezone.utc)
        raised = await raise_counter(database, user)
        task.status, task.completed_at, task.updated_at = "completed", now, now
        task.version += 1
        record(database, task, "completed", raised.user_sequence, {"status": {"from": "open", "to": "completed"}})
        await database.commit()
    response.headers["etag"] = f'"{task.version}"'
    return view(task)
