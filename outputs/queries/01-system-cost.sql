-- What does the system cost, by component and policy?
-- What drivers pay is part of the system's income and is not added to it: see 02.
SELECT r.world, r.policy, c.stage, c.component, c.currency,
       sum(c.amount) AS amount,
       count(DISTINCT c.run_id) AS runs,
       sum(c.amount) / count(DISTINCT c.run_id) AS amount_per_run
FROM costs c JOIN runs r USING (run_id)
WHERE c.stage <> 'drivers'
GROUP BY ALL
ORDER BY ALL;
