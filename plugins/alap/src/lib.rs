//! [`Alap`] as a plugin.

use voltide_policies::Alap;

voltide_policy::export_policy!(Alap);
