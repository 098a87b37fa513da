//! What the gateway of a stage must know, read from the store and unsealed.

use std::sync::Arc;

use octroi_domain::{
    Id, Moment,
    api::{ApiDocument, ApiName},
    application::Subscription,
    credential::Credential,
    feed::GatewayState,
    quota::DayUse,
    stage::Stage,
    trace::Trace,
};

use crate::{context::App, error::Error};

impl App {
    /// The state of a stage. `known` gives the documents that the caller holds already.
    pub async fn gateway_state(
        &self,
        stage: Stage,
        now: Moment,
        known: &(dyn Fn(&ApiName, i64) -> Option<Arc<ApiDocument>> + Send + Sync),
    ) -> Result<GatewayState, Error> {
        let rows = self.inner.store.gateway_state(stage, now, known).await?;
        let mut state = rows.state;
        state.keys = self.open_keys(&rows.keys, now)?;
        Ok(state)
    }

    /// The version of the gateway's state that is committed.
    pub async fn gateway_version(&self) -> Result<i64, Error> {
        Ok(self.inner.store.read().gateway_version().await?)
    }

    /// Writes a batch of traces.
    pub async fn take_traces(&self, traces: &[Trace]) -> Result<(), Error> {
        Ok(self.inner.store.trace_insert(traces).await?)
    }

    /// Writes what the counters say: the day's use of subscriptions, the last use of credentials.
    pub async fn take_uses(&self, days: &[(Id<Subscription>, DayUse)], last: &[(Id<Credential>, Moment)]) -> Result<(), Error> {
        self.inner.store.day_use_put(days).await?;
        self.inner.store.credential_touch(last).await?;
        Ok(())
    }
}
