//! How mails leave: to the demo's mailbox, or through a mail server that the binary knows how to speak to.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use octroi_domain::{Moment, mail::Mail};
use octroi_store::{DeliveredMail, OutboxItem, OutboxMessage, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{context::App, error::Error, view::List};

/// Longest that one mail may take to leave: below the lease of the outbox (60 seconds), so that nobody else is given it meanwhile.
const LONGEST: Duration = Duration::from_secs(50);

/// Hands a mail to a mail server.
pub trait MailPort: Send + Sync {
    fn send<'a>(&'a self, outgoing: &'a Outgoing<'a>) -> Pin<Box<dyn Future<Output = Result<(), MailRefusal>> + Send + 'a>>;
    /// `host:port`, for an operator to read.
    fn server(&self) -> &str;
    /// The sender of the mails of providers without one of their own.
    fn sender(&self) -> &str;
}

/// What leaves.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub mail: &'a Mail,
    /// Unique, and the same each time that this mail is tried: whoever receives it twice can tell.
    pub message_id: String,
    /// When it was written.
    pub at: Moment,
}

/// Why a mail did not leave. The text is for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailRefusal {
    /// The server is not there or does not serve us: every mail would fare the same.
    #[error("{0}")]
    Unavailable(String),
    /// The server does not take this one now.
    #[error("{0}")]
    Later(String),
    /// The server will never take this one.
    #[error("{0}")]
    Never(String),
}

/// How mails leave.
#[derive(Clone, Default)]
pub enum Mailing {
    /// They wait in the outbox.
    #[default]
    Off,
    /// The demo's mailbox.
    Mailbox,
    Smtp(Arc<dyn MailPort>),
}
impl fmt::Debug for Mailing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("Off"),
            Self::Mailbox => f.write_str("Mailbox"),
            Self::Smtp(port) => write!(f, "Smtp({})", port.server()),
        }
    }
}

/// What an attempt to deliver came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing was due.
    Nothing,
    /// One left, or was refused for good; there may be others.
    Next,
    /// The server does not serve us: better to wait a little.
    Wait,
}

/// A mail in the demo's mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailView {
    pub id: i64,
    pub to: String,
    /// The provider's own sender; none: the platform's.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub subject: String,
    pub preheader: String,
    pub text: String,
    /// The same as a page; empty when there is none.
    pub html: String,
    pub at: String,
}
impl From<DeliveredMail> for MailView {
    fn from(DeliveredMail { id, mail, at }: DeliveredMail) -> Self {
        Self {
            id,
            to: mail.to,
            from: mail.from.map(|from| from.to_string()),
            reply_to: mail.reply_to.map(|to| to.to_string()),
            subject: mail.subject,
            preheader: mail.preheader,
            text: mail.text,
            html: mail.html,
            at: at.to_string(),
        }
    }
}

impl App {
    /// Delivers the next mail that is due. No transaction is open while it is sent.
    ///
    /// # Errors
    /// When the store cannot answer. A mail that left meanwhile is sent again once its lease is over.
    pub async fn deliver_mail(&self, now: Moment) -> Result<Delivery, Error> {
        match &self.settings().mail {
            Mailing::Off => Ok(Delivery::Nothing),
            Mailing::Mailbox => {
                let count = self.deliver_to_mailbox(now).await?;
                Ok(if count == 0 { Delivery::Nothing } else { Delivery::Next })
            }
            Mailing::Smtp(port) => self.deliver_by(port.as_ref(), now).await,
        }
    }

    async fn deliver_by(&self, port: &dyn MailPort, now: Moment) -> Result<Delivery, Error> {
        let claimed = self.inner.store.outbox_claim(now, 1).await?;
        let Some(OutboxItem { id, message: OutboxMessage::Mail(mail), created_at, attempts }) = claimed.first() else {
            return Ok(Delivery::Nothing);
        };
        let (_, host) = self.settings().public_url.split_once("://").unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let message_id = format!("<{}.{id}@{host}>", created_at.micros());
        let outgoing = Outgoing { mail, message_id, at: *created_at };
        let sent = match tokio::time::timeout(LONGEST, port.send(&outgoing)).await {
            Ok(sent) => sent,
            Err(_) => Err(MailRefusal::Unavailable(format!("no end after {} seconds", LONGEST.as_secs()))),
        };
        let mut tx = self.inner.store.write().await?;
        let next = match &sent {
            Ok(()) => {
                // Stale when it had left already: somebody else was faster after a lease that was over.
                match tx.outbox_done(*id, now).await {
                    Err(error) if !error.is_stale() => return Err(error.into()),
                    _ => Delivery::Next,
                }
            }
            Err(MailRefusal::Never(said)) => {
                tx.outbox_refused(*id, now, said).await?;
                Delivery::Next
            }
            Err(MailRefusal::Later(said)) => {
                tx.outbox_failed(*id, now, said).await?;
                Delivery::Next
            }
            Err(MailRefusal::Unavailable(said)) => {
                tx.outbox_failed(*id, now, said).await?;
                Delivery::Wait
            }
        };
        tx.commit().await?;
        if let Err(refusal) = sent {
            // The address stays out of the log.
            tracing::warn!(message = id, attempts, %refusal, "a mail did not leave");
        }
        Ok(next)
    }

    async fn deliver_to_mailbox(&self, now: Moment) -> Result<usize, Error> {
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
    ///
    /// # Errors
    /// [`Error::NotFound`] where mails do not go to a mailbox.
    pub async fn mailbox(&self, to: Option<&str>, page: Page, now: Moment) -> Result<List<MailView>, Error> {
        if !matches!(self.settings().mail, Mailing::Mailbox) {
            return Err(Error::NotFound);
        }
        // What waits is delivered first, so that a reader sees the mail of what was just answered.
        for _ in 0..100 {
            if self.deliver_to_mailbox(now).await? == 0 {
                break;
            }
        }
        let listing = self.inner.store.read().mailbox_list(to, page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.into_iter().map(MailView::from).collect() })
    }

    /// One mail of the demo's mailbox.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not there, or mails do not go to a mailbox.
    pub async fn mailbox_mail(&self, id: i64) -> Result<MailView, Error> {
        if !matches!(self.settings().mail, Mailing::Mailbox) {
            return Err(Error::NotFound);
        }
        self.inner.store.read().mailbox_by_id(id).await?.map(MailView::from).ok_or(Error::NotFound)
    }
}
