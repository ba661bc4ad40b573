-- How many cars are plugged in, charging and agreed in each hour of the local day, on average?
-- Cars that charge are counted in slots for which ev_ticks has them all.
WITH charging AS (
    SELECT run_id, tick, count(*) AS cars, count(*) FILTER (state = 'charging') AS charging
    FROM ev_ticks
    GROUP BY run_id, tick
)
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed,
       extract(hour FROM s.ts AT TIME ZONE r.time_zone) AS local_hour,
       avg(s.plugged) AS plugged,
       avg(c.charging) AS charging,
       avg(s.agreed) AS agreed,
       avg(s.ev_charge_kw) AS ev_charge_kw,
       avg(s.ev_discharge_kw) AS ev_discharge_kw
FROM system_ticks s
JOIN runs r USING (run_id)
LEFT JOIN charging c ON c.run_id = s.run_id AND c.tick = s.tick AND c.cars = r.ev_count
WHERE s.stage = 'settled'
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed, local_hour
ORDER BY r.world, r.policy, r.seed, r.run_id, local_hour;
