//! [`Smart`] as a plugin.

use voltide_policies::Smart;

voltide_policy::export_policy!(Smart);
