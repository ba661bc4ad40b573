-- Where does the energy come from, and how much of it is curtailed, by kind of unit?
SELECT r.world, r.policy, r.seed, u.stage, u.unit_kind,
       sum(u.output_kw) * any_value(r.tick_s) / 3600 AS output_kwh,
       sum(u.available_kw) * any_value(r.tick_s) / 3600 AS available_kwh,
       sum(u.curtailed_kw) * any_value(r.tick_s) / 3600 AS curtailed_kwh,
       sum(u.curtailed_kw) / nullif(sum(u.available_kw), 0) AS curtailed_share,
       sum(u.cost) AS cost
FROM unit_ticks u JOIN runs r USING (run_id)
GROUP BY run_id, r.world, r.policy, r.seed, u.stage, u.unit_kind
ORDER BY r.world, r.policy, r.seed, u.stage, u.unit_kind;
