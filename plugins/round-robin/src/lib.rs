//! [`RoundRobin`] as a plugin.

use voltide_policies::RoundRobin;

voltide_policy::export_policy!(RoundRobin);
