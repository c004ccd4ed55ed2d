"""SDR: outreach with a person's approval, its answers, and the people who asked not to be written to."""
