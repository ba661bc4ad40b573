-- How much flexibility margin is missing, in kWh and in hours? (null where the run has no margins)
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed, s.stage,
       sum(greatest(-s.margin_up_kw, 0) * s.step_h) FILTER (s.margin_up_kw IS NOT NULL) AS up_kwh,
       sum((s.margin_up_kw < 0)::INTEGER * s.step_h) AS up_hours,
       sum(greatest(-s.margin_down_kw, 0) * s.step_h) FILTER (s.margin_down_kw IS NOT NULL) AS down_kwh,
       sum((s.margin_down_kw < 0)::INTEGER * s.step_h) AS down_hours
FROM system_ticks s JOIN runs r USING (run_id)
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed, s.stage
ORDER BY r.world, r.policy, r.seed, r.run_id, s.stage;
