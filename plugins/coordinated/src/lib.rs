//! [`Coordinated`] as a plugin.

use voltide_policies::Coordinated;

voltide_policy::export_policy!(Coordinated);
