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
            "serpapi_url": f"{self.url}/serpapi",
            "serpapi_key": config.serpapi_key,
            "evolution_url": f"{self.url}/evolution",
            "evolution_api_key": config.evolution_api_key,
            "evolution_webhook_token": config.evolution_webhook_token,
            "resend_url": f"{self.url}/resend",
            "resend_api_key": config.resend_api_key,
            "resend_webhook_secret": config.resend_webhook_secret,
            "openai_base_url": f"{self.url}/openai/v1",
            "openai_api_key": config.openai_api_key,
            "cnpj_url": f"{self.url}/cnpj",
            "sites_proxy": self.url,
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
