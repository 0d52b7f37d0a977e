use pitbird_records::rollout::{Order as OrderRecord, OrderKind};
use serde::Serialize;

use super::seconds;

/// Who ordered what and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order {
    at: f64,
    order: &'static str,
    by: String,
    access_key_id: Option<String>,
    verified: bool,
    reason: Option<String>,
    obeyed: bool,
}

impl From<&OrderRecord> for Order {
    fn from(order: &OrderRecord) -> Order {
        Order {
            at: seconds(order.at_ms),
            order: match order.kind {
                OrderKind::Start => "Start",
                OrderKind::Pause => "Pause",
                OrderKind::Resume => "Resume",
                OrderKind::Abort => "Abort",
                OrderKind::Promote => "Promote",
            },
            by: order.by.clone(),
            access_key_id: order.access_key_id.clone(),
            verified: order.is_verified,
            reason: order.why.clone(),
            obeyed: order.is_obeyed,
        }
    }
}
