-- Audit: is the net load of every settled slot what its parts say, and the balance closed? (must be empty)
SELECT run_id, tick, net_load_kw, residual_kw,
       base_load_kw + ev_charge_kw - ev_discharge_kw - wind_available_kw - pv_available_kw AS parts_kw
FROM system_ticks
WHERE stage = 'settled'
  AND NOT (
      abs(net_load_kw - parts_kw) <= 1e-9 * greatest(1, abs(base_load_kw), ev_charge_kw, wind_available_kw, pv_available_kw)
      AND abs(residual_kw) <= 1e-6 * greatest(1, abs(base_load_kw), ev_charge_kw, wind_available_kw, pv_available_kw)
  )
ORDER BY run_id, tick;
