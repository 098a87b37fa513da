//! What happens without anybody asking: mails leave, permits expire, traces become anonymous.

use octroi_domain::{Moment, permit::Permit};
use octroi_store::{Anonymise, DeliveredMail, OutboxMessage};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{context::App, error::Error, keys::RETIREMENT_HOURS, mails, permits};

/// A mail in the demo's mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailView {
    pub id: i64,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: String,
}
impl From<DeliveredMail> for MailView {
    fn from(delivered: DeliveredMail) -> Self {
        Self {
            id: delivered.id,
            to: delivered.mail.to,
            subject: delivered.mail.subject,
            text: delivered.mail.text,
            at: delivered.at.to_string(),
        }
    }
}

impl App {
    /// Delivers what waits in the outbox; returns how many left.
    pub async fn deliver_mails(&self, now: Moment) -> Result<usize, Error> {
        let _alone = self.inner.mailing.lock().await;
        let items = self.inner.store.outbox_claim(now, 50).await?;
        for item in &items {
            let OutboxMessage::Mail(mail) = &item.message;
            let mut tx = self.inner.store.write().await?;
            tx.mailbox_deliver(item.id, mail, now).await?;
            tx.commit().await?;
        }
        Ok(items.len())
    }

    /// The demo's mailbox, the latest first.
    pub async fn mailbox(&self, to: Option<&str>, now: Moment) -> Result<Vec<MailView>, Error> {
        // What waits is delivered first, so that a reader sees the mail of what was just answered.
        for _ in 0..100 {
            if self.deliver_mails(now).await? == 0 {
                break;
            }
        }
        Ok(self.inner.store.read().mailbox_list(to, 200).await?.into_iter().map(MailView::from).collect())
    }

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
            tx.enqueue_mail(now, &mails::permit_moved(&view, &applicant, &stored.definition, &event, self.settings())).await?;
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
        tx.idempotency_purge(now.plus_days(-1)).await?;
        tx.revoked_token_purge(now).await?;
        tx.signing_key_delete(now.plus_seconds(-2 * RETIREMENT_HOURS * 3_600)).await?;
        tx.outbox_purge(now.plus_days(-30)).await?;
        tx.commit().await?;
        Ok(())
    }
}
