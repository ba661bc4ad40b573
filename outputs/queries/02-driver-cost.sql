-- What does a driver pay under each policy, and what is saved against `uncontrolled` on the same world and seed?
-- Like for like, as `voltide compare` has it: `saving` is of the cost of the stays that end within both runs.
-- What batteries hold less after the last of them is filled up at the baseline's mean price of a stored kWh,
-- fleet by fleet. What stays still in progress at the end have gained less stands beside it, in put_off_kwh.
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
pairs AS (
    SELECT r.run_id, b.run_id AS baseline
    FROM runs r JOIN runs b
      -- Not as one tuple: in tuples null equals null, and no world is known by that.
      ON b.world_hash = r.world_hash AND b.sim_end = r.sim_end AND b.seed = r.seed
     AND b.policy = 'uncontrolled' AND b.parent_run_id IS NULL AND r.parent_run_id IS NULL
),
moved AS (
    SELECT run_id, fleet,
           sum(energy_cost) AS paid, sum(stored_kwh) AS stored_kwh,
           sum(v2g_revenue) AS earned, sum(drawn_kwh) AS drawn_kwh
    FROM sessions
    GROUP BY run_id, fleet
),
prices AS (
    -- Where the baseline stored nothing it is the run's price, and where neither did what both earned.
    SELECT p.run_id, p.baseline, b.fleet,
           coalesce(b.paid / nullif(b.stored_kwh, 0),
                    r.paid / nullif(r.stored_kwh, 0),
                    (b.earned + r.earned) / nullif(b.drawn_kwh + r.drawn_kwh, 0),
                    0) AS price_per_kwh
    FROM pairs p
    JOIN moved b ON b.run_id = p.baseline
    JOIN moved r ON r.run_id = p.run_id AND r.fleet = b.fleet
),
in_both AS (
    SELECT p.run_id, p.baseline, b.fleet, b.unplugged_at IS NOT NULL AS ended,
           count(*) AS stays, sum(b.net_cost) AS baseline_cost, sum(r.net_cost) AS cost,
           sum((b.stored_kwh - b.drawn_kwh) - (r.stored_kwh - r.drawn_kwh)) AS emptier_kwh,
           sum(abs(b.stored_kwh - b.drawn_kwh) + abs(r.stored_kwh - r.drawn_kwh)) AS summed_kwh
    FROM pairs p
    JOIN sessions b ON b.run_id = p.baseline
    JOIN sessions r ON r.run_id = p.run_id
     AND (r.fleet, r.car, r.plugged_at) = (b.fleet, b.car, b.plugged_at)
     AND r.unplugged_at IS NOT DISTINCT FROM b.unplugged_at
    GROUP BY p.run_id, p.baseline, b.fleet, ended
),
compared AS (
    SELECT run_id, baseline,
           sum(stays) FILTER (ended) AS compared_stays,
           sum(baseline_cost) FILTER (ended) AS baseline_cost,
           sum(cost) FILTER (ended) AS compared_cost,
           without_rounding(sum(emptier_kwh) FILTER (ended), sum(summed_kwh) FILTER (ended)) AS emptier_kwh,
           without_rounding(sum(emptier_kwh * price_per_kwh) FILTER (ended),
                            sum(summed_kwh * abs(price_per_kwh)) FILTER (ended)) AS emptier_value,
           coalesce(without_rounding(sum(emptier_kwh) FILTER (NOT ended),
                                     sum(summed_kwh) FILTER (NOT ended)), 0) AS put_off_kwh
    FROM in_both JOIN prices USING (run_id, baseline, fleet)
    GROUP BY run_id, baseline
)
SELECT p.*, c.baseline, c.compared_stays, c.baseline_cost, c.compared_cost,
       c.emptier_kwh, c.emptier_value, c.put_off_kwh, c.saved / p.ev_count AS saving_per_ev,
       CASE WHEN c.saved = 0 THEN 0
            WHEN c.baseline_cost > 0 THEN c.saved / c.baseline_cost
       END AS saving
FROM per_run p LEFT JOIN (
    SELECT *, without_rounding(baseline_cost - compared_cost - emptier_value,
                               abs(baseline_cost) + abs(compared_cost) + abs(emptier_value)) AS saved
    FROM compared
) c USING (run_id)
ORDER BY p.world, p.seed, p.policy, p.run_id, c.baseline;
