//! A permit as a page shows it: what it covers by name, what uses it, and what the reader may do.

use std::{collections::BTreeSet, sync::Arc};

use octroi_domain::{
    Number, Slug,
    access_request::AccessRequest,
    api::{Access, ApiName},
    definition::{Definition, Step},
    feed::PermitStatus,
    permit::Permit,
    policy::{Action, Subject},
    stage::Stage,
    text::Text,
};
use octroi_store::{Reader, StoredApi};

use crate::{
    context::{App, Context},
    error::Error,
    permits::{subject, view},
    request_forms::reads,
    view::PermitView,
};

/// An application that uses a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitUse {
    pub application: String,
    pub name: String,
    pub stage: Stage,
    /// `provider/api`.
    pub api: String,
    /// The API's name; none when it has left the catalogue.
    pub title: Option<Text>,
    /// `pending`, `active`, `suspended` or `revoked`.
    pub state: String,
    /// May the reader open its page?
    pub readable: bool,
}

/// A permit, and the version of the definition that it was granted under.
#[derive(Debug, Clone)]
pub struct PermitSheet {
    pub permit: PermitView,
    pub definition: Arc<Definition>,
    /// The provider's name.
    pub provider: Text,
    /// The blocks of its form, for reading what was answered.
    pub steps: Vec<Step>,
    /// The APIs that it opens.
    pub opens: Vec<ApiName>,
    /// What uses it, as far as the reader may know.
    pub uses: Vec<PermitUse>,
    /// What the reader may do with it in its state.
    pub allowed: BTreeSet<Action>,
    /// May it be followed by a request that changes or renews it?
    pub amendable: bool,
    /// The stage that may be asked for next.
    pub next_stage: Option<Stage>,
    /// The amendment or stage change that is under way.
    pub open: Option<Number<AccessRequest>>,
    /// Does the reader read it for the provider?
    pub reads: bool,
    /// Is it the reader's own, or their organisation's, to ask for anew?
    pub holds: bool,
}
impl PermitSheet {
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.allowed.contains(&action)
    }
}

/// Does the state of a permit have this move?
const fn has(status: PermitStatus, action: Action) -> bool {
    match action {
        Action::AmendPermit | Action::SuspendPermit => matches!(status, PermitStatus::Active),
        Action::ResumePermit => matches!(status, PermitStatus::Suspended),
        Action::RevokePermit => matches!(status, PermitStatus::Active | PermitStatus::Suspended),
        _ => true,
    }
}

/// The APIs that a permit of this definition opens.
async fn opened(reader: &Reader, definition: &Slug) -> Result<Vec<ApiName>, Error> {
    let all = reader.api_list().await?;
    let opens = |stored: &&StoredApi| {
        let access = &stored.document.api.access;
        !stored.withdrawn && matches!(access, Access::Permit { definitions } if definitions.contains(definition))
    };
    Ok(all.iter().filter(opens).map(|stored| stored.document.api.full_name()).collect())
}

impl App {
    /// A permit and what belongs to it, for whoever may read it.
    pub async fn permit_sheet(&self, context: &Context, id: Number<Permit>) -> Result<PermitSheet, Error> {
        let reader = self.inner.store.read();
        let held = reader.permit_by_number(id).await?.ok_or(Error::NotFound)?;
        let (subject, stored) = subject(&reader, &held).await?;
        context.require(Action::ReadPermit, &subject)?;
        let (permit, _) = view(&reader, &held).await?;
        let (grant, status, definition) = (held.grant(), held.status(), stored.definition);
        let provider = reader.provider_by_slug(&definition.provider).await?;
        let mut uses = Vec::new();
        for subscription in reader.subscriptions_of_permit(id).await? {
            let owned = Subject::Subscription { organization: grant.organization, api: subscription.api.clone() };
            if context.require(Action::ReadSubscription, &owned).is_err() {
                continue;
            }
            if let Some(application) = reader.application_by_id(subscription.application).await? {
                let api = reader.api_current(&subscription.api).await?;
                uses.push(PermitUse {
                    title: api.map(|stored| stored.document.api.name.clone()),
                    application: application.id.to_string(),
                    name: application.name,
                    stage: application.stage,
                    api: subscription.api.to_string(),
                    state: subscription.state.as_str().to_owned(),
                    readable: context.require(Action::ReadApplication, &Subject::Application { organization: grant.organization }).is_ok(),
                });
            }
        }
        let allowed: BTreeSet<Action> =
            Action::ON_PERMIT.into_iter().filter(|action| has(status, *action) && context.require(*action, &subject).is_ok()).collect();
        let follows = allowed.contains(&Action::AmendPermit);
        let next_stage = grant.stage.and_then(|stage| definition.next_stage(stage)).filter(|_| follows);
        Ok(PermitSheet {
            provider: provider.map_or_else(|| Text::new(definition.provider.as_str(), definition.provider.as_str()), |held| held.name),
            steps: definition.form(&grant.form).map(|form| definition.steps(form, grant.stage)).unwrap_or_default(),
            opens: opened(&reader, &definition.slug).await?,
            uses,
            amendable: follows && definition.features.amendment,
            next_stage,
            open: reader.access_request_open_of(id).await?,
            reads: reads(&context.principal, &definition),
            holds: context.require(Action::AmendPermit, &subject).is_ok(),
            allowed,
            definition,
            permit,
        })
    }
}
