"""The outside world in a thread: its address, its keys, and what a test may tell it and ask it."""

from typing import Any

import requests

from infra.sandbox import clock as outside_clock
from infra.sandbox.serve import start
from somos.mesh import clock


class World:
    """The sandbox world; what it dates follows the test's clock. `post` and `get` reach its control
    API under `/_world`."""

    def __init__(self) -> None:
        self._sandbox = start(delay_ms=0, slow_site_ms=20)
        self.url = self._sandbox.url
        self._http = requests.Session()
        self._clock_before = outside_clock.use(lambda: clock.now().timestamp())

    def stop(self) -> None:
        self._http.close()
        self._sandbox.stop()
        outside_clock.use(self._clock_before)

    def settings(self) -> dict[str, str]:
        """What the product must be told to reach this world instead of the real one."""
        config = self._sandbox.world.config
        return {
            "SERPAPI_URL": f"{self.url}/serpapi",
            "SERPAPI_KEY": config.serpapi_key,
            "EVOLUTION_URL": f"{self.url}/evolution",
            "EVOLUTION_API_KEY": config.evolution_api_key,
            "EVOLUTION_WEBHOOK_TOKEN": config.evolution_webhook_token,
            "RESEND_URL": f"{self.url}/resend",
            "RESEND_API_KEY": config.resend_api_key,
            "RESEND_WEBHOOK_SECRET": config.resend_webhook_secret,
            "OPENAI_BASE_URL": f"{self.url}/openai/v1",
            "OPENAI_API_KEY": config.openai_api_key,
            "CNPJ_URL": f"{self.url}/cnpj",
            "SITES_PROXY": self.url,
        }

    def reset(self) -> None:
        self.post("reset")

    def post(self, what: str, **body: Any) -> Any:
        answer = self._http.post(f"{self.url}/_world/{what}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, what: str, **query: Any) -> Any:
        answer = self._http.get(f"{self.url}/_world/{what}", params=query, timeout=10)
        assert answer.ok, answer.text
        return answer.json()
