"""The `websockets` package: a chat over sockets and REST, a refusal, heartbeats, and a reconnection."""

import asyncio
import json
import sys
import urllib.request

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = sys.argv[1]


def rooms(path):
    return f"{URL.replace('http', 'ws')}/rooms/{path}"


async def post(path, body):
    def answer():
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    return await asyncio.to_thread(answer)


async def say(socket, **message):
    await socket.send(json.dumps(message))


async def receive(socket, count=1):
    return [json.loads(await socket.recv()) for _ in range(count)]


async def main():
    seen = {}
    async with connect(rooms("lobby?name=ada")) as ada:
        seen["history"] = await receive(ada)
        async with connect(rooms("lobby?name=bob")) as bob, connect(rooms("kitchen?name=eve")) as eve:
            await receive(bob)
            seen["joined"] = await receive(ada)
            await say(bob, type="say", id="b-1", text="Hello")
            # Messages arrive in the order of the steps: the row is added before it is acknowledged.
            seen["said"] = await receive(bob, 2), await receive(ada)
            seen["posted"] = await post("/rooms/lobby/messages", {"from": "rest", "text": "By REST"})
            seen["pushed"] = await receive(ada), await receive(bob)
            await say(bob, type="typing")
            seen["typing"] = await receive(ada)
            await say(bob, type="rename", name="robert")
            seen["renamed"] = await receive(ada), await receive(bob)
            await say(bob, type="dance", id=7)
            seen["unknown"] = await receive(bob)
            await bob.send("ping")
            seen["pong"] = await bob.recv()
            await (await bob.ping())
            # A client in another room has received only its own history.
            seen["kitchen"] = await receive(eve)
            await say(eve, type="dance", id=8)
            seen["kitchen"] += await receive(eve)
        seen["left"] = await receive(ada)
        await post("/__mockd/clock", {"advance": "30s"})
        # The bot may send messages as well.
        while (beat := (await receive(ada))[0])["type"] != "heartbeat":
            pass
        seen["heartbeat"] = beat

    try:
        await connect(rooms("lobby"))
    except InvalidStatus as refused:
        seen["refused"] = refused.response.status_code, json.loads(refused.response.body)

    seen["connections"] = []
    async for socket in connect(rooms("kitchen?name=ada")):
        seen["connections"] += await receive(socket)
        if len(seen["connections"]) == 2:
            await post("/rooms/kitchen/messages", {"text": "Still there?"})
            seen["again"] = (await receive(socket))[0]["message"]["text"]
            await socket.close()
            break
        closing = asyncio.create_task(post("/__mockd/sockets/close", {"code": 1012, "reason": "as told"}))
        try:
            await receive(socket)
        except ConnectionClosed as closed:
            seen["closed"] = closed.rcvd.code, closed.rcvd.reason
        await closing
    print(json.dumps(seen))


asyncio.run(main())
