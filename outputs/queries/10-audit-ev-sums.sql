-- Audit: do the cars add up to the system, in every slot that has them all? (must be empty)
-- Per-car power is stored in single precision, which rounds each value by at most 6e-8 of itself;
-- charge and discharge are kept apart, so nothing cancels and sums in double hold to 1e-6.
WITH sums AS (
    SELECT run_id, tick,
           count(*) AS cars,
           sum(charge_kw::DOUBLE) AS charge_kw,
           sum(discharge_kw::DOUBLE) AS discharge_kw,
           count(session_id) AS plugged
    FROM ev_ticks
    GROUP BY run_id, tick
)
SELECT run_id, tick, s.charge_kw, t.ev_charge_kw, s.discharge_kw, t.ev_discharge_kw,
       s.plugged AS ev_plugged, t.plugged
FROM sums s
JOIN runs r USING (run_id)
JOIN system_ticks t USING (run_id, tick)
WHERE t.stage = 'settled'
  AND s.cars = r.ev_count
  AND NOT (
      abs(s.charge_kw - t.ev_charge_kw) <= 1e-6 * greatest(t.ev_charge_kw, 1e-3)
      AND abs(s.discharge_kw - t.ev_discharge_kw) <= 1e-6 * greatest(t.ev_discharge_kw, 1e-3)
      AND s.plugged = t.plugged
  )
ORDER BY run_id, tick;
