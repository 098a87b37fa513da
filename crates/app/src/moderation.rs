//! The operator's queue: wishes to join that no proof decided.

use octroi_domain::{
    Id,
    email_domain::EmailDomain,
    joining::{DomainState, Joining, JoiningState},
    policy::{Action, Forbidden, Subject},
    text::Language,
    user::{LinkLevel, LinkProof, Membership},
};
use octroi_store::{JoiningFilter, Page};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    joining::{JoiningView, decided_already, grant, not_closed, one_view, same_address, save, views},
    mails::joining as mails,
    organizations::{OrganizationProfile, checked_domain, put_domain},
    view::List,
};

/// What the operator decides.
#[derive(Debug, Clone)]
pub enum Verdict {
    Accept {
        level: LinkLevel,
        /// Works for the organisation without being of it.
        external: bool,
        /// The domain of the address is theirs from now on.
        allow_domain: bool,
        message: String,
    },
    Refuse {
        message: String,
        /// The person may mend it and ask again.
        may_reopen: bool,
    },
}

/// A wish with what it is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModerationView {
    pub joining: JoiningView,
    /// The domain of the address, as people read it; none: the address has a form that proves nothing.
    pub domain: Option<String>,
    /// Can anybody open an account there?
    pub free_domain: bool,
    pub profile: OrganizationProfile,
    /// Earlier wishes of the same person for the same organisation.
    pub earlier: Vec<JoiningView>,
    /// `fr` or `en`: in which language the person reads the answer.
    pub language: String,
    /// May whoever looks decide? Nobody decides on themselves.
    pub may_decide: bool,
}

fn message(text: &str, needed: bool) -> Result<String, Error> {
    let text = text.trim();
    let length = text.chars().count();
    if length > 2_000 || (needed && length == 0) {
        return Err(Error::field(
            "/message",
            "invalid",
            "Écrivez la raison, en 2 000 caractères au plus : la personne la lira.",
            "Write the reason, in 2,000 characters at most: the person will read it.",
        ));
    }
    Ok(text.to_owned())
}

impl App {
    /// Wishes to join, the newest first; no state: all of them.
    pub async fn list_joinings(&self, context: &Context, state: Option<JoiningState>, page: Page) -> Result<List<JoiningView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let filter = JoiningFilter { states: state.into_iter().collect(), ..JoiningFilter::default() };
        let listing = reader.joining_list(&filter, page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: views(&reader, &listing.items).await? })
    }

    /// One wish, with what it is judged by.
    pub async fn moderate(&self, context: &Context, id: Id<Joining>) -> Result<ModerationView, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let joining = reader.joining_by_id(id).await?.ok_or(Error::NotFound)?;
        let filter = JoiningFilter { user: Some(joining.user), organization: Some(joining.organization), ..JoiningFilter::default() };
        let earlier: Vec<Joining> =
            reader.joining_list(&filter, Page::first(20)).await?.items.into_iter().filter(|other| other.id != id).collect();
        let domain = EmailDomain::of(&joining.email).ok();
        let user = reader.user_by_id(joining.user).await?.ok_or(Error::NotFound)?;
        Ok(ModerationView {
            domain: domain.as_ref().map(EmailDomain::unicode),
            free_domain: domain.as_ref().is_some_and(EmailDomain::is_free),
            profile: self.organization_profile(context, joining.organization).await?,
            language: if user.language == Language::En { "en" } else { "fr" }.to_owned(),
            earlier: views(&reader, &earlier).await?,
            may_decide: joining.state == JoiningState::Pending && context.person()?.user != joining.user,
            joining: one_view(&reader, &joining).await?,
        })
    }

    /// Decides on a wish that waits.
    pub async fn decide_joining(&self, context: &Context, id: Id<Joining>, verdict: Verdict) -> Result<Done<JoiningView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let by = context.person()?.user;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let joining = tx.joining_by_id(id).await?.ok_or(Error::NotFound)?;
        if joining.user == by {
            return Err(Error::Forbidden(Forbidden::ConflictOfInterest));
        }
        if joining.state != JoiningState::Pending {
            return Err(decided_already());
        }
        let organization = tx.organization_by_id(joining.organization).await?.ok_or(Error::NotFound)?;
        let actor = context.principal.actor();
        let (after, user) = match verdict {
            Verdict::Accept { level, external, allow_domain, message: text } => {
                let text = message(&text, false)?;
                let user = same_address(&tx, &joining).await?;
                not_closed(&tx, joining.organization).await?;
                let mut allowed = None;
                if allow_domain {
                    let state = if external { DomainState::External } else { DomainState::Verified };
                    let domain = joining.email.rsplit_once('@').map_or("", |(_, domain)| domain);
                    let domain = checked_domain(domain, Some(state))?;
                    put_domain(&mut tx, context, joining.organization, &domain, Some(state)).await?;
                    allowed = Some(domain);
                }
                let held = Membership::new(joining.user, joining.organization, level, LinkProof::Moderation, context.now);
                let held = Membership { external, proved_by: Some(by), ..held };
                let granted = grant(self, &mut tx, &actor, Joining { answer: text, ..joining }, held).await?;
                if let Some(domain) = allowed {
                    self.grant_waiting(&mut tx, context, granted.organization, &domain).await?;
                }
                (granted, user)
            }
            Verdict::Refuse { message: text, may_reopen } => {
                let answer = message(&text, true)?;
                let user = tx.user_by_id(joining.user).await?.ok_or(Error::NotFound)?;
                let state = JoiningState::Refused;
                let after = Joining { state, answer, may_reopen, updated_at: context.now, decided_by: Some(by), ..joining };
                save(&mut tx, &after, JoiningState::Pending).await?;
                tx.record(context.now, &actor, "joining.refused", &format!("joining:{id}"), json!({ "may_reopen": may_reopen }));
                // Let in for the time being, on nothing: no longer.
                let unproved = tx.membership(after.user, after.organization).await?.is_some_and(|held| held.level == LinkLevel::Unverified);
                if unproved && tx.membership_remove(after.user, after.organization).await? {
                    let details = json!({ "organization": after.organization });
                    tx.record(context.now, &actor, "membership.ended", &format!("user:{}", after.user), details);
                }
                (after, user)
            }
        };
        let accepted = after.state == JoiningState::Accepted;
        tx.enqueue_mail(context.now, &mails::decided(&after, accepted, &user, &organization, self.settings())).await?;
        let view = one_view(&tx, &after).await?;
        self.finish(context, tx, 200, view).await
    }
}
