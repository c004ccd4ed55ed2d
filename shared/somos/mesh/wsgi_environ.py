"""A request of ASGI as WSGI puts it."""

import io
from collections.abc import Iterable, Mapping
from typing import Any


def environ(
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[bytes, bytes]],
    client: str,
    body: bytes,
    added: Mapping[str, str] = {},
) -> dict[str, Any]:
    """`headers` are as sent, `path` is decoded; `added` are headers that whoever asks states itself.

    A name with an underscore would be taken for the one with a dash, past who looked for that: it is left out.
    """
    wsgi: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes as latin-1 text.
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": query,
        "REMOTE_ADDR": client,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,  # it holds just the body, so whoever reads all of it gets it without a copy
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw, sent in headers:
        if b"_" in raw:
            continue
        name = "HTTP_" + raw.decode("latin-1").upper().replace("-", "_")
        text = sent.decode("latin-1")
        wsgi[name] = f"{wsgi[name]},{text}" if name in wsgi else text
    wsgi.pop("HTTP_TRANSFER_ENCODING", None)  # it arrived whole
    if "HTTP_CONTENT_TYPE" in wsgi:
        wsgi["CONTENT_TYPE"] = wsgi["HTTP_CONTENT_TYPE"]
    wsgi["CONTENT_LENGTH"] = str(len(body))
    for name, value in added.items():
        wsgi["HTTP_" + name.upper().replace("-", "_")] = value
    return wsgi
