//! [`Uncontrolled`] as a plugin.

use voltide_policies::Uncontrolled;

voltide_policy::export_policy!(Uncontrolled);
