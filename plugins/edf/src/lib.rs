//! [`Edf`] as a plugin.

use voltide_policies::Edf;

voltide_policy::export_policy!(Edf);
