-- What does a driver pay under each policy, and what is saved against `uncontrolled` on the same world and seed?
-- The same world is one of the same world_hash and end; forks save nothing against a run that is none.
WITH per_run AS (
    SELECT r.run_id, r.parent_run_id, r.world, r.world_hash, r.sim_end, r.seed, r.policy, r.currency,
           r.ev_count,
           sum(s.energy_cost) / r.ev_count AS energy_cost_per_ev,
           sum(s.v2g_revenue) / r.ev_count AS v2g_revenue_per_ev,
           sum(s.degradation_cost) / r.ev_count AS degradation_cost_per_ev,
           sum(s.net_cost) / r.ev_count AS net_cost_per_ev
    FROM runs r JOIN sessions s USING (run_id)
    GROUP BY r.run_id, r.parent_run_id, r.world, r.world_hash, r.sim_end, r.seed, r.policy, r.currency,
             r.ev_count
),
base AS (
    SELECT world_hash, sim_end, seed, avg(net_cost_per_ev) AS base_cost_per_ev
    FROM per_run
    WHERE policy = 'uncontrolled' AND parent_run_id IS NULL
    GROUP BY world_hash, sim_end, seed
)
SELECT p.*,
       base_cost_per_ev - net_cost_per_ev AS saving_per_ev,
       (base_cost_per_ev - net_cost_per_ev) / nullif(base_cost_per_ev, 0) AS saving
FROM per_run p LEFT JOIN base b
  ON p.world_hash = b.world_hash AND p.sim_end = b.sim_end AND p.seed = b.seed AND p.parent_run_id IS NULL
ORDER BY p.world, p.seed, p.policy, p.run_id;
