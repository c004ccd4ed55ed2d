"""Outreach: campaigns, messages that wait for a person's approval, answers, opt-outs, senders."""
