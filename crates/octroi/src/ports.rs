//! What the portal asks of the gateways: tokens, introspection, keys. The same code answers on the
//! portal and on each listener.

use std::{collections::HashMap, sync::Arc};

use octroi_domain::stage::Stage;
use octroi_gateway::Handle;

/// The gateways, as the portal sees them.
#[derive(Clone)]
pub struct Gateways(pub Arc<HashMap<Stage, Handle>>);
