"""Runs centrifuge-python. Reads commands from standard input and writes replies and events to standard output, as JSON
lines. client-program.ts describes them."""

import asyncio
import json
import sys
from typing import Any, Awaitable, Callable, Dict, List

from centrifuge import (
    CentrifugeError,
    Client,
    ClientEventHandler,
    ReplyError,
    StreamPosition,
    SubscriptionEventHandler,
    UnauthorizedError,
)
from payloads import Payloads

Fields = Dict[str, Any]


def print_line(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def token_source(tokens: List[str], **event: Any) -> Callable[[], Awaitable[str]]:
    """Returns a function that returns the next token at each call, as an application's backend does, and reports it."""
    rest = list(tokens)

    async def next_token() -> str:
        print_line(event="token", **event)
        if not rest:
            raise UnauthorizedError
        return rest.pop(0)

    return next_token


class Events(ClientEventHandler):
    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads

    async def on_connecting(self, ctx: Any) -> None:
        print_line(event="connecting", code=ctx.code, reason=ctx.reason)

    async def on_connected(self, ctx: Any) -> None:
        print_line(event="connected", client=ctx.client)

    async def on_disconnected(self, ctx: Any) -> None:
        print_line(event="disconnected", code=ctx.code, reason=ctx.reason)

    async def on_error(self, ctx: Any) -> None:
        print_line(event="error", message=str(ctx.error))

    async def on_subscribed(self, ctx: Any) -> None:
        print_subscribed(ctx.channel, ctx)

    async def on_unsubscribed(self, ctx: Any) -> None:
        print_line(event="unsubscribed", channel=ctx.channel)

    async def on_publication(self, ctx: Any) -> None:
        print_line(event="publication", channel=ctx.channel, **self._payloads.publication(ctx.pub))

    async def on_join(self, ctx: Any) -> None:
        print_line(event="join", channel=ctx.channel, **self._payloads.info(ctx.info))

    async def on_leave(self, ctx: Any) -> None:
        print_line(event="leave", channel=ctx.channel, **self._payloads.info(ctx.info))


class SubscriptionEvents(SubscriptionEventHandler):
    def __init__(self, channel: str, payloads: Payloads) -> None:
        self._channel = channel
        self._payloads = payloads

    async def on_subscribing(self, ctx: Any) -> None:
        print_line(event="subscribing", channel=self._channel, code=ctx.code, reason=ctx.reason)

    async def on_subscribed(self, ctx: Any) -> None:
        print_subscribed(self._channel, ctx)

    async def on_unsubscribed(self, ctx: Any) -> None:
        print_line(event="unsubscribed", channel=self._channel, code=ctx.code, reason=ctx.reason)

    async def on_error(self, ctx: Any) -> None:
        print_line(event="error", channel=self._channel, message=str(ctx.error))

    async def on_publication(self, ctx: Any) -> None:
        print_line(event="publication", channel=self._channel, **self._payloads.publication(ctx.pub))

    async def on_join(self, ctx: Any) -> None:
        print_line(event="join", channel=self._channel, **self._payloads.info(ctx.info))

    async def on_leave(self, ctx: Any) -> None:
        print_line(event="leave", channel=self._channel, **self._payloads.info(ctx.info))


def print_subscribed(channel: str, ctx: Any) -> None:
    epoch = ctx.stream_position.epoch if ctx.stream_position else None
    print_line(
        event="subscribed",
        channel=channel,
        wasRecovering=ctx.was_recovering,
        recovered=ctx.recovered,
        epoch=epoch,
    )


class Program:
    def __init__(self, settings: Fields) -> None:
        binary = settings["protocol"] == "protobuf"
        self._payloads = Payloads(binary)
        self._client = Client(
            settings["url"],
            events=Events(self._payloads),
            get_token=token_source(settings["tokens"]) if settings["tokens"] else None,
            use_protobuf=binary,
            proxy=None,
        )

    async def run(self) -> None:
        lines = asyncio.StreamReader(limit=1 << 20)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        running = set()
        while line := await lines.readline():
            task = asyncio.create_task(self._execute(json.loads(line)))
            running.add(task)
            task.add_done_callback(running.discard)
        await self._client.disconnect()

    async def _execute(self, command: Fields) -> None:
        reply = command.pop("id")
        try:
            result = await getattr(self, "_" + command.pop("do"))(**command)
            print_line(reply=reply, result=result or {})
        except ReplyError as error:
            print_line(reply=reply, error={"code": error.code, "message": error.message})
        except CentrifugeError as error:
            print_line(reply=reply, error={"code": 0, "message": repr(error)})

    async def _connect(self) -> None:
        await self._client.connect()

    async def _disconnect(self) -> None:
        await self._client.disconnect()

    async def _subscribe(self, channel: str, tokens: List[str] = ()) -> None:
        subscription = self._client.get_subscription(channel)
        if subscription is None:
            next_token = token_source(tokens, channel=channel)
            subscription = self._client.new_subscription(
                channel,
                events=SubscriptionEvents(channel, self._payloads),
                get_token=(lambda _: next_token()) if tokens else None,
                join_leave=True,
            )
        await subscription.subscribe()

    async def _unsubscribe(self, channel: str) -> None:
        await self._client.get_subscription(channel).unsubscribe()

    async def _publish(self, channel: str, data: Any) -> None:
        await self._client.publish(channel, self._payloads.encode(data))

    async def _presence(self, channel: str) -> Fields:
        found = await self._client.presence(channel)
        return {"clients": {id: self._payloads.info(info) for id, info in found.clients.items()}}

    async def _presenceStats(self, channel: str) -> Fields:
        stats = await self._client.presence_stats(channel)
        return {"clients": stats.num_clients, "users": stats.num_users}

    async def _history(
        self, channel: str, limit: int = 0, since: Any = None, reverse: bool = False
    ) -> Fields:
        position = StreamPosition(**since) if since else None
        found = await self._client.history(channel, limit=limit, since=position, reverse=reverse)
        publications = [self._payloads.publication(each) for each in found.publications]
        return {"publications": publications, "offset": found.offset, "epoch": found.epoch}

    async def _rpc(self, method: str, data: Any) -> Fields:
        result = await self._client.rpc(method, self._payloads.encode(data))
        return {"data": self._payloads.decode(result.data)}

    async def _batch(self, commands: List[Fields]) -> None:
        # The library has no batches, so the commands run concurrently.
        await asyncio.gather(*map(self._execute, commands))


if __name__ == "__main__":
    asyncio.run(Program(json.loads(sys.argv[1])).run())
