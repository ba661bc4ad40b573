//! [`Threshold`] as a plugin.

use voltide_policies::Threshold;

voltide_policy::export_policy!(Threshold);
