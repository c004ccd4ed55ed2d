"""A unit as the image starts it, with a test's clock: `python -m tests.harness.unit --port 5000`."""

import os
from pathlib import Path

from somos.mesh import clock
from somos.mesh.serve import main
from tests.harness.units import CLOCK, Clock

if __name__ == "__main__":
    clock.use(Clock(Path(os.environ[CLOCK])).now)
    main()
