"""What one step writes, here and in the peers: the effect, counted each time, and the lead's new state."""

EFFECT = "insert into bench.effects (lead_id, step) values (:lead, :step)"
STATE = "update bench.leads set state = :step, touched = touched + 1 where id = :lead"
STEPS = ("enriched", "scored", "written", "sent")
