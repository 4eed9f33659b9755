"""phoenix-channels-python-client as a listener.

Takes the service's address, a JSON list of systems and the protocol version ("1.0" or "2.0"); prints one JSON object a
line for whatever happens, and takes commands, one JSON object a line, on standard input: {"push": EVENT, "payload": {}}.
"""

import asyncio
import json
import sys

from phoenix_channels_python_client import PHXChannelsClient
from phoenix_channels_python_client.client_types import ReconnectPolicy
from phoenix_channels_python_client.phx_messages import PHXEvent
from phoenix_channels_python_client.utils import make_message

LOBBY = "killmails:lobby"


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


class Listener:
    def __init__(self, address, systems, version):
        self.cursor = None
        self.systems = systems
        self.pushed = {}
        self.client = PHXChannelsClient(
            f"ws://{address}/socket/websocket",
            api_key="none",
            protocol_version=version,
            heartbeat_interval_s=1.0,
            # As patient as a test wants it.
            reconnect_policy=ReconnectPolicy(
                base_delay_s=0.1,
                factor=1.0,
                service_restart_min_delay_s=0.0,
                service_restart_max_delay_s=0.2,
                rapid_first_min_delay_s=0.0,
                rapid_second_min_delay_s=0.0,
                rapid_cooldown_base_s=0.0,
                rapid_cooldown_step_s=0.0,
                rapid_suppress_disconnect_count=0,
            ),
            on_disconnect=self.disconnected,
            on_reconnect=self.reconnected,
        )
        self.put_parameters_into_joins()

    def put_parameters_into_joins(self):
        """The library joins with an empty payload: ours goes in on the way out, at each join."""
        handler = self.client.get_protocol_handler()
        send = handler.send_message

        async def send_message(connection, message):
            if message.event is PHXEvent.join:
                after = {} if self.cursor is None else {"after": self.cursor}
                payload = {"systems": self.systems, **after}
                message = message.model_copy(update={"payload": payload})
            await send(connection, message)

        handler.send_message = send_message

    async def disconnected(self, error):
        say("close", reason=str(error))

    async def reconnected(self):
        say("open")

    async def received(self, message):
        payload = message.payload
        match str(message.event):
            case "killmail_update":
                if isinstance(payload.get("cursor"), int):
                    self.cursor = payload["cursor"]
                killmails = [killmail["killmail_id"] for killmail in payload["killmails"]]
                say(
                    "killmail_update",
                    system_id=payload["system_id"],
                    preload=payload["preload"],
                    killmails=killmails,
                )
            case "phx_reply":
                push = self.pushed.pop(message.ref)
                kind = "reply" if payload["status"] == "ok" else "reply_error"
                say(kind, push=push, response=payload["response"])
            case event:
                say(event, **payload)

    async def push(self, event, payload):
        """The library has no push of its own: its messages and its protocol handler make one."""
        subscription = self.client.get_current_subscriptions()[LOBBY]
        ref = f"push-{event}"
        self.pushed[ref] = event
        message = make_message(event, LOBBY, ref, payload, subscription.join_ref)
        await self.client.get_protocol_handler().send_message(self.client.connection, message)

    async def run(self):
        stdin = asyncio.StreamReader(limit=1 << 20)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin
        )
        async with self.client:
            say("open")
            await self.client.subscribe_to_topic(LOBBY, self.received)
            say("joined")
            while line := await stdin.readline():
                command = json.loads(line)
                await self.push(command["push"], command["payload"])


asyncio.run(Listener(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]).run())
