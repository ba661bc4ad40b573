//! [`V2g`] as a plugin.

use voltide_policies::V2g;

voltide_policy::export_policy!(V2g);
