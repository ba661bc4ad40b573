-- Where does the energy come from, and how much of it is curtailed, by kind of unit?
-- Of a day that was scheduled and not simulated to its end, only what was simulated counts.
WITH simulated AS (
    SELECT u.*, epoch(r.sim_end - u.ts) / 3600 AS left_h,
           if(u.step_h > left_h, left_h, u.step_h) AS hours
    FROM unit_ticks u JOIN runs r USING (run_id)
    WHERE u.ts < r.sim_end
)
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed, u.stage, u.unit_kind,
       sum(u.output_kw * u.hours) AS output_kwh,
       sum(u.available_kw * u.hours) AS available_kwh,
       sum(u.curtailed_kw * u.hours) AS curtailed_kwh,
       sum(u.curtailed_kw * u.hours) / nullif(sum(u.available_kw * u.hours), 0) AS curtailed_share,
       sum(u.cost * u.hours / u.step_h) AS cost, r.currency
FROM simulated u JOIN runs r USING (run_id)
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed, r.currency, u.stage, u.unit_kind
ORDER BY r.world, r.policy, r.seed, r.run_id, u.stage, u.unit_kind;
