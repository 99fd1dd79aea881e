"""The calls of the functions to Carillon: who is online, and the reverse push."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

TIMEOUT_S = 3
# How many pushes run at the same time.
CONCURRENCY = 32
GONE = 410

# Carillon is called directly, whatever proxy the environment names.
opener = build_opener(ProxyHandler({}))


class Carillon:
    """`url` is the one of any replica, or of the load balancer before them. Only the list of connections needs the API key."""

    def __init__(self, url, api_key, push_secret):
        self._url = url
        self._push_url = f"{url}/push/chat/{push_secret}"
        self._api_key = api_key
        self._pool = ThreadPoolExecutor(CONCURRENCY)

    def online(self):
        """Returns the ids of all connections to the chat, on whichever replica they are."""
        ids = []
        query = {"route": "chat", "limit": 1000}
        while True:
            request = Request(f"{self._url}/connections?{urlencode(query)}", headers={"X-API-Key": self._api_key})
            with opener.open(request, timeout=TIMEOUT_S) as response:
                page = json.load(response)
            ids += [connection["id"] for connection in page["connections"]]
            if "next" not in page:
                return ids
            query["cursor"] = page["next"]

    def send_to_all(self, ids, data):
        """Sends a text to each of these connections. A push that fails does not stop the others."""

        def send(id):
            self._push({"action": "data send", "secConnectionID": id, "dataType": "text", "data": data})

        list(self._pool.map(send, ids))

    def close(self, id):
        self._push({"action": "closing", "secConnectionID": id})

    def _push(self, websocket):
        try:
            body = json.dumps({"websocket": websocket}).encode()
            request = Request(self._push_url, body, {"Content-Type": "application/json"})
            try:
                with opener.open(request, timeout=TIMEOUT_S) as response:
                    answer = json.load(response)
            except HTTPError as error:
                answer = json.load(error)
            # A client may leave at any time.
            if answer["errNo"] not in (0, GONE):
                raise RuntimeError(answer["errMsg"])
        except Exception as error:
            print(f"push to {websocket['secConnectionID']} failed: {error}", file=sys.stderr, flush=True)
