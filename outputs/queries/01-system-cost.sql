-- What does the system cost, by component and policy?
-- Runs that differ in nothing but their seed are added up; a fork has rows of its own, and so has a run
-- of another world, another config of the policy, or another end. What drivers pay is part of the
-- system's income and is not added to it: see 02.
SELECT r.world, r.policy, if(r.parent_run_id IS NULL, NULL, r.run_id) AS fork,
       c.stage, c.component, c.currency,
       sum(c.amount) AS amount,
       count(DISTINCT r.run_id) AS runs,
       sum(c.amount) / count(DISTINCT r.run_id) AS amount_per_run,
       min(r.run_id) AS first_run
FROM costs c JOIN runs r USING (run_id)
WHERE c.stage <> 'drivers'
GROUP BY r.world, r.policy, fork, c.stage, c.component, c.currency, r.sim_end,
         coalesce(r.world_hash, r.run_id), r.policy_version, r.plugin_hash,
         json_extract_string(r.params, '$.policy_config')
ORDER BY ALL;
