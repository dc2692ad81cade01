"""The classic chat server on python-socketio: whoever says something is heard by all. Prints its port."""

import asyncio

import socketio
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")


@sio.on("chat-message")
async def chat_message(_sid, text):
    await sio.emit("chat-message", text)
    return {"ok": True}


@sio.event
async def connect(_sid, _environ, auth=None):
    if (auth or {}).get("token") == "bad":
        raise socketio.exceptions.ConnectionRefusedError("not authorized", {"code": 401})


async def main():
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
