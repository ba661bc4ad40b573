//! [`Llf`] as a plugin.

use voltide_policies::Llf;

voltide_policy::export_policy!(Llf);
