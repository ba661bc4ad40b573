-- What does a driver pay under each policy, and what is saved against `uncontrolled` on the same world and seed?
WITH per_run AS (
    SELECT r.run_id, r.world, r.seed, r.policy, r.currency, r.ev_count,
           sum(s.energy_cost) / r.ev_count AS energy_cost_per_ev,
           sum(s.v2g_revenue) / r.ev_count AS v2g_revenue_per_ev,
           sum(s.degradation_cost) / r.ev_count AS degradation_cost_per_ev,
           sum(s.net_cost) / r.ev_count AS net_cost_per_ev
    FROM runs r JOIN sessions s USING (run_id)
    GROUP BY r.run_id, r.world, r.seed, r.policy, r.currency, r.ev_count
),
base AS (
    SELECT world, seed, ev_count, avg(net_cost_per_ev) AS base_cost_per_ev
    FROM per_run
    WHERE policy = 'uncontrolled'
    GROUP BY world, seed, ev_count
)
SELECT p.*,
       base_cost_per_ev - net_cost_per_ev AS saving_per_ev,
       (base_cost_per_ev - net_cost_per_ev) / nullif(base_cost_per_ev, 0) AS saving
FROM per_run p LEFT JOIN base USING (world, seed, ev_count)
ORDER BY p.world, p.seed, p.policy;
