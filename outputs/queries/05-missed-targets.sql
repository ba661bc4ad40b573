-- Which share of sessions missed its target at departure, why, and how large was the worst gap?
SELECT r.run_id, r.parent_run_id, r.world, r.policy, r.seed, s.fleet,
       count(*) AS sessions,
       count(s.missed_reason) AS missed,
       count(s.missed_reason) / count(*) AS missed_share,
       max(s.soc_target - s.soc_departure) FILTER (s.missed_reason IS NOT NULL) AS worst_gap_soc,
       arg_max(s.session_id, s.soc_target - s.soc_departure) FILTER (s.missed_reason IS NOT NULL) AS worst_session,
       histogram(s.missed_reason) FILTER (s.missed_reason IS NOT NULL) AS reasons
FROM sessions s JOIN runs r USING (run_id)
WHERE s.unplugged_at IS NOT NULL
GROUP BY r.run_id, r.parent_run_id, r.world, r.policy, r.seed, s.fleet
ORDER BY r.world, r.policy, r.seed, r.run_id, s.fleet;
