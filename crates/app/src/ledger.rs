//! Reading the ledger.

use octroi_domain::{
    Number,
    access_request::AccessRequest,
    permit::Permit,
    policy::{Action, Subject},
};
use octroi_store::{LedgerFilter, Order};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
    view::List,
};

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryView {
    pub seq: i64,
    pub at: String,
    pub actor: String,
    pub action: String,
    pub subject: String,
    #[schema(value_type = Object)]
    pub details: Value,
    /// SHA-256, in hexadecimal, of the entry before.
    pub previous: String,
    /// SHA-256, in hexadecimal, of this entry's canonical text.
    pub hash: String,
}

impl App {
    /// The ledger, the latest first: whole for the operator; of one request or permit for whoever may read it.
    pub async fn list_ledger(
        &self,
        context: &Context,
        subject: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Result<List<EntryView>, Error> {
        let request = subject.as_deref().and_then(|text| text.parse::<Number<AccessRequest>>().ok());
        let permit = subject.as_deref().and_then(|text| text.parse::<Number<Permit>>().ok());
        let whole = context.require(Action::ReadLedger, &Subject::Platform).is_ok();
        match (request, permit) {
            _ if whole => {}
            (Some(id), _) => drop(self.read_request(context, id).await?),
            (_, Some(id)) => drop(self.read_permit(context, id).await?),
            (None, None) => context.require(Action::ReadLedger, &Subject::Platform)?,
        }
        let limit = limit.clamp(1, 100);
        let filter = LedgerFilter { subject, ..LedgerFilter::default() };
        let entries = self.inner.store.read().ledger_page(&filter, Order::Descending, after, limit).await?;
        let full = entries.len() >= limit as usize;
        let next = entries.last().filter(|_| full).map(|entry| entry.seq.to_string());
        let view = |entry: octroi_domain::ledger::Entry| EntryView {
            seq: entry.seq,
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            details: entry.details,
            previous: entry.previous.to_string(),
            hash: entry.hash.to_string(),
        };
        Ok(List { items: entries.into_iter().map(view).collect(), next })
    }
}
