//! [`SmartIncentive`] as a plugin.

use voltide_policies::SmartIncentive;

voltide_policy::export_policy!(SmartIncentive);
