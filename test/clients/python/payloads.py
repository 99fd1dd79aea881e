import base64
import json
from typing import Any, Dict

from centrifuge import ClientInfo, Publication


class Payloads:
    """Converts payloads to and from JSON values. Bytes, which only Protobuf can carry, become {"base64": "..."}."""

    def __init__(self, binary: bool) -> None:
        self._binary = binary

    def encode(self, value: Any) -> Any:
        if not self._binary:
            return value
        if isinstance(value, dict) and value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return json.dumps(value).encode()

    def decode(self, data: Any) -> Any:
        if not isinstance(data, bytes):
            return data
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            return {"base64": base64.b64encode(data).decode()}

    def publication(self, publication: Publication) -> Dict[str, Any]:
        fields = {
            "data": self.decode(publication.data),
            "offset": publication.offset,
            "tags": publication.tags,
        }
        if publication.info is not None:
            fields["info"] = self.info(publication.info)
        return fields

    def info(self, info: ClientInfo) -> Dict[str, Any]:
        return {
            "client": info.client,
            "user": info.user,
            "connInfo": self.decode(info.conn_info),
            "chanInfo": self.decode(info.chan_info),
        }
