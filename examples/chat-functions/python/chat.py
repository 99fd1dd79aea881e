"""The three functions of the chat. Carillon keeps the ids of its connections, so no function stores anything."""

import re
import sys
from threading import Event, Thread


class Chat:
    def __init__(self, carillon):
        self._carillon = carillon
        self._changed = Event()
        Thread(target=self._announce, daemon=True).start()

    def register(self, event):
        """A client connects. Carillon has stored its id just before."""
        self._changed.set()
        id = event["websocket"]["secConnectionID"]
        return {"errNo": 0, "errMsg": "ok", "websocket": {"action": "connecting", "secConnectionID": id}}

    def transport(self, event):
        """A client has sent a message: everybody else receives it."""
        message = event["websocket"]
        if message["dataType"] != "text":
            return {"errNo": 1, "errMsg": "this chat takes text only"}
        ids = self._carillon.online()
        others = [id for id in ids if id != message["secConnectionID"]]
        # A frame may have several messages, one per line, so a message has no line breaks.
        text = re.sub(r"[\r\n]+", " ", message["data"])
        self._carillon.send_to_all(others, text + people(len(ids)))
        return {"errNo": 0, "errMsg": "ok"}

    def cleanup(self, event):
        """A connection has ended. Carillon has removed its id just before."""
        self._changed.set()
        # Confirms the closing. If the client has already gone, Carillon answers that there is no such connection.
        self._carillon.close(event["websocket"]["secConnectionID"])
        return {"errNo": 0, "errMsg": "ok", "websocket": event["websocket"]}

    def _announce(self):
        """Tells everybody how many are online: once for all who come and go while it does."""
        while True:
            self._changed.wait()
            self._changed.clear()
            try:
                ids = self._carillon.online()
                self._carillon.send_to_all(ids, people(len(ids)))
                # Another process may have announced a newer number before this one arrived.
                if len(self._carillon.online()) != len(ids):
                    self._changed.set()
            except Exception as error:
                print(f"the number of people online was not announced: {error}", file=sys.stderr, flush=True)


def people(count):
    return f"(===Online people:{count}===)"
