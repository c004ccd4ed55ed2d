"""How much of a request's body is read, which each route declares beside its handler (`max_bytes`)."""

from io import BytesIO

from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

from somos.mesh.problems import TooLarge

# Where a route declares nothing else.
ANONYMOUS = 64_000  # whoever has not signed in
JSON = 1_000_000
UPLOAD = 20_000_000
WEBHOOK = 5_000_000
# A delivery of the mesh: an event, or a sealed call of /async-function.
DELIVERY = 2_500_000

CHUNK = 64 * 1024


def read(request: Request, max_bytes: int) -> bytes:
    """The whole body, kept for who asks again. Raises TooLarge before more than `max_bytes` is in memory, whether or
    not the sender says how long it is."""
    if (request.content_length or 0) > max_bytes:
        raise TooLarge
    stream = get_input_stream(request.environ)
    # One byte more tells a body of exactly this size from a longer one.
    taken, left = BytesIO(), max_bytes + 1
    while left and (part := stream.read(min(left, CHUNK))):
        left -= taken.write(part)
    if not left:
        raise TooLarge
    taken.seek(0)
    request.environ.update({"wsgi.input": taken, "CONTENT_LENGTH": str(max_bytes + 1 - left)})
    return request.get_data(cache=True)
