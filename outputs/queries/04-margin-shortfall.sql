-- How much flexibility margin is missing, in kWh and in hours? (null where the run has no margins)
SELECT r.world, r.policy, r.seed, s.stage,
       sum(greatest(-margin_up_kw, 0)) FILTER (margin_up_kw IS NOT NULL) * any_value(r.tick_s) / 3600 AS up_kwh,
       sum((margin_up_kw < 0)::INTEGER) * any_value(r.tick_s) / 3600 AS up_hours,
       sum(greatest(-margin_down_kw, 0)) FILTER (margin_down_kw IS NOT NULL) * any_value(r.tick_s) / 3600 AS down_kwh,
       sum((margin_down_kw < 0)::INTEGER) * any_value(r.tick_s) / 3600 AS down_hours
FROM system_ticks s JOIN runs r USING (run_id)
GROUP BY run_id, r.world, r.policy, r.seed, s.stage
ORDER BY r.world, r.policy, r.seed, s.stage;
