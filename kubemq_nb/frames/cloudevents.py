"""CloudEvents 1.0 in structured JSON: one body holds attributes and data.

In binary mode the attributes are tags (`ce-type`) and the body is the data alone: other decoders read that,
and `fields="tags.ce-type"` shows an attribute.
"""

from kubemq_nb.frames.expanding import Undecodable, of_base64, of_json

REQUIRED = ("specversion", "id", "source", "type")


def of_cloudevent(body: bytes) -> object:
    """The attributes of an event and its `data`, decoded where it is base64.

    Raises:
        Undecodable: It is no such event.
    """
    event = of_json(body)
    if not isinstance(event, dict):
        raise Undecodable("not a CloudEvent: no JSON object")
    if missing := [name for name in REQUIRED if not isinstance(event.get(name), str)]:
        raise Undecodable(f"not a CloudEvent: no {', '.join(missing)}")
    encoded = event.pop("data_base64", None)
    if encoded is None:
        return event
    if not isinstance(encoded, str) or "data" in event:
        raise Undecodable("not a CloudEvent: data_base64 is text, in place of data")
    return event | {"data": of_base64(encoded.encode())}
