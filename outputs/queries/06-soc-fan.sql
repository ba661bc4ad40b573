-- How is the state of charge spread over the cars, slot by slot (5, 25, 50, 75, 95 %)?
-- Only runs that record the same number of cars in every slot: ev_ticks Full or Sample.
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed, e.ts,
       count(*) AS cars,
       quantile_cont(e.soc, 0.05) AS soc_05,
       quantile_cont(e.soc, 0.25) AS soc_25,
       quantile_cont(e.soc, 0.50) AS soc_50,
       quantile_cont(e.soc, 0.75) AS soc_75,
       quantile_cont(e.soc, 0.95) AS soc_95
FROM ev_ticks e JOIN runs r USING (run_id)
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed, e.ts
QUALIFY min(count(*)) OVER (PARTITION BY r.run_id) = max(count(*)) OVER (PARTITION BY r.run_id)
ORDER BY r.world, r.policy, r.seed, r.run_id, e.ts;
