"""What people would otherwise write: FastAPI, a WebSocket per person, redis.asyncio's pub/sub behind it."""

import json
import os

import jwt
from fastapi import FastAPI, WebSocket
from redis.asyncio import Redis

app = FastAPI()
redis = Redis.from_url(os.environ["REDIS_URL"])


@app.get("/health")
def health() -> str:
    return "ok"


@app.websocket("/ws")
async def listen(socket: WebSocket) -> None:
    token = socket.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, os.environ["SOMOS_JWT_PUBLIC_KEY"], algorithms=["EdDSA"], issuer="somos")
    await socket.accept()
    async with redis.pubsub() as channel:
        await channel.subscribe("somos:realtime")
        await socket.send_json({"type": "ready"})
        async for message in channel.listen():
            if message["type"] == "message":
                told = json.loads(message["data"])
                if told.pop("to")["user"] == claims["sub"]:
                    await socket.send_json(told)
