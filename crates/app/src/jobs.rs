//! What happens without anybody asking: permits expire, traces become anonymous. (Mails: `mails/deliver.rs`.)

use octroi_domain::{
    Moment,
    account::{BROWSER_DAYS, FORGET_SECONDS},
    permit::Permit,
};
use octroi_store::Anonymise;
use serde_json::json;

use crate::{context::App, error::Error, keys::RETIREMENT_HOURS, mails, permits};

impl App {
    /// Ends the permits that are out of date. The gateway refuses them from their last instant on, with or without this.
    pub async fn expire_permits(&self, now: Moment) -> Result<usize, Error> {
        let due = self.inner.store.read().permits_due(now, 100).await?;
        for permit in &due {
            let mut tx = self.inner.store.write().await?;
            let Some(held) = tx.permit_lock(permit.grant().id).await? else { continue };
            let before = held.status();
            let Ok(open) = held.open() else { continue };
            let (ended, event) = open.expire(now);
            let ended = Permit::Ended(ended);
            tx.permit_save(&ended, before).await?;
            tx.record(now, "system", event.action(), &event.subject(), event.details());
            tx.gateway_changed();
            let (_, stored) = permits::subject(&tx, &ended).await?;
            let (view, applicant) = permits::view(&tx, &ended).await?;
            let mail = mails::permit_moved(&view, &applicant, &stored.definition, &event, self.settings());
            mails::send(&mut tx, now, &stored.definition.provider, [mail]).await?;
            if let Some(version) = tx.commit().await? {
                self.inner.gateway.refresh(version).await;
            }
        }
        Ok(due.len())
    }

    /// Makes the traces that are too old anonymous; returns how many.
    pub async fn anonymise_old_traces(&self, now: Moment) -> Result<u64, Error> {
        let before = now.plus_days(-i64::from(self.settings().trace_retention_days));
        let count = self.inner.store.trace_anonymise(&Anonymise::Before(before), now).await?;
        if count > 0 {
            let mut tx = self.inner.store.write().await?;
            tx.record(now, "system", "traces.anonymised", "traces", json!({ "before": before, "count": count }));
            tx.commit().await?;
        }
        Ok(count)
    }

    /// Removes what is out of date: sessions, sign-in counters, answered keys, revoked tokens, retired keys.
    pub async fn purge(&self, now: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        tx.session_purge(now).await?;
        tx.login_attempt_purge(now.plus_days(-1)).await?;
        tx.throttle_purge(now.plus_seconds(-FORGET_SECONDS)).await?;
        tx.proof_purge(now).await?;
        tx.ceremony_purge(now).await?;
        tx.connection_purge(now).await?;
        tx.browser_purge(now.plus_days(-BROWSER_DAYS)).await?;
        tx.idempotency_purge(now.plus_days(-1)).await?;
        tx.revoked_token_purge(now).await?;
        tx.signing_key_delete(now.plus_seconds(-2 * RETIREMENT_HOURS * 3_600)).await?;
        tx.outbox_purge(now.plus_days(-30)).await?;
        self.purge_sign_on(&mut tx, now).await?;
        tx.hand_off_purge(now).await?;
        tx.commit().await?;
        Ok(())
    }
}
