"""How a rule says no."""


class NotAllowed(Exception):
    """Nothing changes. `detail` is a sentence for a person, `code` is stable; a request that meets it is answered 409
    with the record as it is now."""

    def __init__(self, detail: str, code: str = "not-allowed") -> None:
        super().__init__(detail)
        self.detail, self.code = detail, code


class NotValid(Exception):
    """What was sent in `field` cannot be; a request that meets it is answered 422."""

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(detail)
        self.detail, self.field = detail, field
