//! Permits: reading them, and the four things that can happen to one.

use octroi_domain::{
    Number,
    event::Event,
    feed::PermitStatus,
    permit::Permit,
    policy::{Action, Subject},
    user::User,
};
use octroi_store::{Page, PermitFilter, Reader, StoredDefinition};

use crate::{
    access_requests::{checked_message, visible},
    context::{App, Begin, Context, Done},
    error::Error,
    mails,
    view::{List, PermitLine, PermitView, StateCounts},
};

/// What happens to a permit.
#[derive(Debug, Clone)]
pub enum PermitMove {
    Suspend { reason: String },
    Resume,
    Revoke { reason: String },
}

/// What the policy looks at, and the definition's version that it was granted under.
pub(crate) async fn subject(reader: &Reader, permit: &Permit) -> Result<(Subject, StoredDefinition), Error> {
    let grant = permit.grant();
    let missing = || Error::Internal(format!("definition of {} is missing", grant.id));
    let stored = reader.definition_version(&grant.definition, grant.definition_version).await?.ok_or_else(missing)?;
    let subject = Subject::Permit {
        organization: grant.organization,
        applicant: grant.applicant,
        definition: grant.definition.clone(),
        provider: stored.definition.provider.clone(),
    };
    Ok((subject, stored))
}

/// The filter, with what the principal may see.
fn seen(context: &Context, filter: PermitFilter) -> Result<PermitFilter, Error> {
    context.require(Action::ListPermits, &Subject::Platform)?;
    Ok(PermitFilter { visible: visible(&context.principal), people: true, ..filter })
}

pub(crate) async fn view(reader: &Reader, permit: &Permit) -> Result<(PermitView, User), Error> {
    let grant = permit.grant();
    let missing = || Error::Internal(format!("holder of {} is missing", grant.id));
    let applicant = reader.user_by_id(grant.applicant).await?.ok_or_else(missing)?;
    let organization = reader.organization_by_id(grant.organization).await?.ok_or_else(missing)?;
    Ok((PermitView::new(permit, &applicant, &organization), applicant))
}

impl App {
    /// The permits that the principal may see, in the filter's order.
    pub async fn list_permits(&self, context: &Context, filter: PermitFilter, page: Page) -> Result<List<PermitLine>, Error> {
        let filter = seen(context, filter)?;
        Ok(self.inner.store.permit_list(&filter, page).await?.into())
    }

    /// How many there are in each state, whatever states the filter asks for.
    pub async fn count_permits_by_state(&self, context: &Context, filter: PermitFilter) -> Result<StateCounts, Error> {
        let filter = seen(context, filter)?;
        Ok(StateCounts::new(self.inner.store.permit_counts(&filter).await?, PermitStatus::as_str))
    }

    pub async fn read_permit(&self, context: &Context, id: Number<Permit>) -> Result<PermitView, Error> {
        let reader = self.inner.store.read();
        let permit = reader.permit_by_number(id).await?.ok_or(Error::NotFound)?;
        let (subject, _) = subject(&reader, &permit).await?;
        context.require(Action::ReadPermit, &subject)?;
        Ok(view(&reader, &permit).await?.0)
    }

    /// Suspends, resumes or revokes. Returns once the gateway refuses (or serves) accordingly.
    pub async fn move_permit(&self, context: &Context, id: Number<Permit>, what: PermitMove) -> Result<Done<PermitView>, Error> {
        let action = match &what {
            PermitMove::Suspend { .. } => Action::SuspendPermit,
            PermitMove::Resume => Action::ResumePermit,
            PermitMove::Revoke { .. } => Action::RevokePermit,
        };
        let what = match what {
            PermitMove::Suspend { reason } => PermitMove::Suspend { reason: checked_message("/reason", reason)? },
            PermitMove::Revoke { reason } => PermitMove::Revoke { reason: checked_message("/reason", reason)? },
            PermitMove::Resume => PermitMove::Resume,
        };
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let held = tx.permit_lock(id).await?.ok_or(Error::NotFound)?;
        let (subject, stored) = subject(&tx, &held).await?;
        context.require(action, &subject)?;
        let by = context.person()?.user;
        let before = held.status();
        let (moved, event) = step(held, what, by, context.now)?;
        tx.permit_save(&moved, before).await.map_err(|error| if error.is_stale() { wrong_state(&moved) } else { error.into() })?;
        tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
        tx.gateway_changed();
        let (view, applicant) = view(&tx, &moved).await?;
        let mail = mails::permit_moved(&view, &applicant, &stored.definition, &event, self.settings());
        mails::send(&mut tx, context.now, &stored.definition.provider, [mail]).await?;
        self.finish(context, tx, 200, view).await
    }
}

fn step(held: Permit, what: PermitMove, by: octroi_domain::Id<User>, now: octroi_domain::Moment) -> Result<(Permit, Event), Error> {
    match (held, what) {
        (Permit::Active(active), PermitMove::Suspend { reason }) => {
            let (moved, event) = active.suspend(now, reason);
            Ok((Permit::Suspended(moved), event))
        }
        (Permit::Suspended(suspended), PermitMove::Resume) => {
            let (moved, event) = suspended.resume();
            Ok((Permit::Active(moved), event))
        }
        (held, PermitMove::Revoke { reason }) => {
            let open = held.open().map_err(|held| wrong_state(&held))?;
            let (moved, event) = open.revoke(by, now, reason);
            Ok((Permit::Ended(moved), event))
        }
        (held, _) => Err(wrong_state(&held)),
    }
}

fn wrong_state(permit: &Permit) -> Error {
    let (fr, en) = match permit.status() {
        PermitStatus::Active => ("en vigueur", "in force"),
        PermitStatus::Suspended => ("suspendue", "suspended"),
        PermitStatus::Superseded => ("remplacée", "superseded"),
        PermitStatus::Revoked => ("révoquée", "revoked"),
        PermitStatus::Expired => ("expirée", "expired"),
    };
    Error::conflict(
        "wrong_state",
        format!("L’habilitation est {fr} : cette action n’est pas possible."),
        format!("The permit is {en}: this is not possible."),
    )
}
