-- What does the system cost, by component and policy?
-- Runs that differ in nothing but their seed are added up; a fork has rows of its own, and so has a run
-- of another world, another config of the policy, or another end. What drivers pay is part of the
-- system's income and is not added to it: see 02.
-- `solver_gap` is of all components together, and of the same runs: how much less the best switching of
-- units may cost, by the solver's bounds. Policies whose totals differ by less do not differ.
WITH gaps AS (
    -- Without a bound it may be all of it. What groups of cars pay is no cost of the system.
    SELECT run_id,
           sum(CASE WHEN integers = 0 THEN 0
                    WHEN bound IS NULL THEN abs(objective)
                    ELSE without_rounding(greatest(objective - bound, 0), abs(objective))
               END) AS solver_gap
    FROM solves WHERE stage <> 'group'
    GROUP BY run_id
),
amounts AS (
    SELECT run_id, stage, component, currency, sum(amount) AS amount
    FROM costs
    WHERE stage <> 'drivers'
    GROUP BY ALL
)
SELECT r.world, r.policy, if(r.parent_run_id IS NULL, NULL, r.run_id) AS fork,
       a.stage, a.component, a.currency,
       sum(a.amount) AS amount,
       count(*) AS runs,
       sum(a.amount) / count(*) AS amount_per_run,
       sum(g.solver_gap) AS solver_gap,
       min(r.run_id) AS first_run
FROM amounts a JOIN runs r USING (run_id) LEFT JOIN gaps g USING (run_id)
GROUP BY r.world, r.policy, fork, a.stage, a.component, a.currency, r.sim_end,
         coalesce(r.world_hash, r.run_id), r.policy_version, r.plugin_hash,
         json_extract_string(r.params, '$.policy_config')
ORDER BY ALL;
