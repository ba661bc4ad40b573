-- How high is the peak of the net load, how low its valley, and how steep its worst ramp?
WITH ramps AS (
    SELECT run_id, ts, net_load_kw,
           net_load_kw - lag(net_load_kw) OVER (PARTITION BY run_id ORDER BY tick) AS step_kw
    FROM system_ticks
    WHERE stage = 'settled'
)
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed,
       max(net_load_kw) AS peak_kw,
       arg_max(ts, net_load_kw) AS peak_at,
       min(net_load_kw) AS valley_kw,
       arg_min(ts, net_load_kw) AS valley_at,
       max(net_load_kw) - min(net_load_kw) AS spread_kw,
       max(abs(step_kw)) * 3600 / any_value(r.tick_s) AS worst_ramp_kw_per_hour,
       arg_max(ts, abs(step_kw)) AS worst_ramp_at
FROM ramps JOIN runs r USING (run_id)
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed
ORDER BY r.world, r.policy, r.seed, r.run_id;
