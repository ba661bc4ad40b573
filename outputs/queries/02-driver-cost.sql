-- What does a driver pay under each policy, and what is saved against `uncontrolled` on the same world and seed?
WITH per_run AS (
    SELECT r.world, r.seed, r.policy, r.currency, r.ev_count,
           sum(s.energy_cost) / r.ev_count AS energy_cost_per_ev,
           sum(s.v2g_revenue) / r.ev_count AS v2g_revenue_per_ev,
           sum(s.degradation_cost) / r.ev_count AS degradation_cost_per_ev,
           sum(s.net_cost) / r.ev_count AS net_cost_per_ev
    FROM runs r JOIN sessions s USING (run_id)
    GROUP BY r.run_id, r.world, r.seed, r.policy, r.currency, r.ev_count
)
SELECT p.*,
       base.net_cost_per_ev - p.net_cost_per_ev AS saving_per_ev,
       (base.net_cost_per_ev - p.net_cost_per_ev) / nullif(base.net_cost_per_ev, 0) AS saving
FROM per_run p
LEFT JOIN per_run base
       ON base.policy = 'uncontrolled' AND base.world = p.world
      AND base.seed = p.seed AND base.ev_count = p.ev_count
ORDER BY p.world, p.seed, p.policy;
