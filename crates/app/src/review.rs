//! A request as those who decide see it: the answers beside the rules, what differs and from what, who
//! asks and how sure that is, and what else the organisation has.

use std::{collections::BTreeMap, sync::Arc};

use octroi_domain::{
    Number,
    access_request::{AccessRequest, Kind},
    comparison::{self, Difference},
    definition::{AskedField, Definition, FieldError, MessageTemplate, MessageUse},
    permit::Permit,
    policy::{Action, Decision, Forbidden, decide},
    scope::{OfferedScope, ScopeRule},
    text::Text,
    user::{Membership, Role},
};
use octroi_store::{Page, PermitFilter, Reader, RequestFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    access_requests::{Loaded, load, title},
    context::{App, Context},
    error::Error,
    organizations::StandingView,
    people::ManagedDefinition,
    permits,
    view::{PermitLine, RequestLine, RequestView},
};

/// How many other requests and permits of the organisation are shown.
const OTHERS: u32 = 20;

/// A request beside what it is judged by.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReviewView {
    pub request: RequestView,
    pub title: String,
    /// The version that the request was written against.
    #[serde(skip)]
    #[schema(ignore)]
    pub definition: Arc<Definition>,
    #[schema(value_type = Object)]
    pub definition_name: Text,
    pub provider: String,
    #[schema(value_type = Object)]
    pub form_name: Text,
    /// The software vendor whose form it is.
    pub vendor: Option<String>,
    /// How long a permit would last; none: until it is revoked.
    pub validity_months: Option<u16>,
    pub standing: Standing,
    /// How the applicant belongs to the organisation; none: they left it.
    pub link: Option<LinkView>,
    /// What a directory says of the organisation, if one could be asked.
    pub organization_standing: StandingView,
    pub blocks: Vec<ReviewBlock>,
    #[schema(value_type = Vec<Object>)]
    pub scopes: Vec<OfferedScope>,
    #[schema(value_type = Vec<Object>)]
    pub scope_rules: Vec<ScopeRule>,
    /// What the definition asks for and the answers do not give; nothing once submitted.
    #[schema(value_type = Vec<Object>)]
    pub faults: Vec<FieldError>,
    /// The permit that `since_permit` of each field compares with: the one that is amended or whose stage changes.
    pub compared_with: Option<String>,
    /// Other requests of the organisation that one may see, the latest changed first.
    pub other_requests: Vec<RequestLine>,
    /// Permits of the organisation that one may see, the latest granted first.
    pub other_permits: Vec<PermitLine>,
    /// What a message can begin with.
    #[schema(value_type = Vec<Object>)]
    pub messages: Vec<MessageTemplate>,
}

/// What whoever looks may do, the state of the request aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Standing {
    pub may_decide: bool,
    /// Member of the organisation, or the applicant: somebody else must decide.
    pub conflict_of_interest: bool,
}

/// The link between the applicant and the organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LinkView {
    /// `unverified`, `verified` or `certified`.
    pub level: String,
    /// What the level rests on: `domain`, `sponsor`, `moderation`, `nothing`, …
    pub proof: String,
    /// Works for the organisation without being of it.
    pub is_external: bool,
    pub since: String,
    /// When it was proved, and by whom where somebody had to.
    pub proved_at: String,
    pub proved_by: Option<String>,
}

/// A part of the form.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReviewBlock {
    pub name: String,
    #[schema(value_type = Object)]
    pub title: Text,
    pub fields: Vec<ReviewField>,
}

/// A question, its rules, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReviewField {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub asked: AskedField,
    #[schema(value_type = Option<Object>)]
    pub answer: Option<Value>,
    /// How it differs from what the form proposed; none: it does not, or nothing was proposed.
    #[schema(value_type = Option<Object>)]
    pub since_form: Option<Difference>,
    /// How it differs from the permit of `compared_with`.
    #[schema(value_type = Option<Object>)]
    pub since_permit: Option<Difference>,
}

impl App {
    /// The request with everything that a decision looks at. For those who read requests of its definition.
    pub async fn review_request(&self, context: &Context, id: Number<AccessRequest>) -> Result<ReviewView, Error> {
        let reader = self.inner.store.read();
        let request = reader.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&reader, request).await?;
        let subject = loaded.subject();
        context.require(Action::ReviewRequest, &subject)?;
        let header = loaded.request.header();
        let before = match &header.kind {
            Kind::Initial => None,
            Kind::Amendment { of } | Kind::StageChange { from: of } => reader.permit_by_number(*of).await?,
        };
        let links = reader.memberships_of_user(header.applicant).await?;
        let link = match links.into_iter().find(|link| link.organization == header.organization) {
            Some(link) => Some(link_view(&reader, &link).await?),
            None => None,
        };
        let current = reader.definition_current(&header.definition).await?;
        let verdict = decide(&context.principal, Action::ApproveRequest, &subject);
        let (other_requests, other_permits) = self.others(context, &loaded).await?;
        let form = loaded.form()?;
        Ok(ReviewView {
            title: title(&header.answers, &loaded.definition),
            definition: Arc::clone(&loaded.definition),
            definition_name: loaded.definition.name.clone(),
            provider: loaded.definition.provider.to_string(),
            form_name: form.name.clone(),
            vendor: form.vendor.as_ref().map(|vendor| vendor.name.clone()),
            validity_months: loaded.definition.validity_months,
            standing: Standing {
                may_decide: verdict == Decision::Allow,
                conflict_of_interest: verdict == Decision::Forbid(Forbidden::ConflictOfInterest),
            },
            link,
            organization_standing: (&reader.profile(header.organization).await?.standing).into(),
            blocks: blocks(&loaded, before.as_ref())?,
            scopes: loaded.definition.scopes.clone(),
            scope_rules: loaded.definition.scope_rules.clone(),
            faults: loaded.definition.complete(form, header.stage, &header.answers, header.created_at).err().unwrap_or_default(),
            compared_with: before.as_ref().map(|permit| permit.grant().id.to_string()),
            other_requests,
            other_permits,
            // The words of today, whatever version the request was written against.
            messages: current.map(|stored| stored.definition.messages.clone()).unwrap_or_default(),
            request: loaded.view(),
        })
    }

    /// The definitions whose requests one reads by a role, by name.
    pub async fn reviewed_definitions(&self, context: &Context) -> Result<Vec<ManagedDefinition>, Error> {
        let person = context.person()?;
        let stored = self.inner.store.read().definition_list().await?;
        Ok(stored
            .iter()
            .filter(|stored| person.for_definition(Role::reads_requests, &stored.slug, &stored.definition.provider))
            .map(Into::into)
            .collect())
    }

    /// What else the organisation has, as far as whoever asks may see.
    async fn others(&self, context: &Context, loaded: &Loaded) -> Result<(Vec<RequestLine>, Vec<PermitLine>), Error> {
        let header = loaded.request.header();
        let mut requests = RequestFilter::new();
        requests.organizations.push(header.organization);
        let mut found = self.list_requests(context, requests, Page::first(OTHERS + 1)).await?.items;
        let own = header.id.to_string();
        found.retain(|line| line.id != own);
        found.truncate(OTHERS as usize);
        let mut permits = PermitFilter::new();
        permits.organizations.push(header.organization);
        Ok((found, self.list_permits(context, permits, Page::first(OTHERS)).await?.items))
    }

    /// What a message about a permit can begin with, in the words of its definition today.
    pub async fn permit_messages(&self, context: &Context, id: Number<Permit>) -> Result<Vec<MessageTemplate>, Error> {
        let reader = self.inner.store.read();
        let permit = reader.permit_by_number(id).await?.ok_or(Error::NotFound)?;
        let (subject, _) = permits::subject(&reader, &permit).await?;
        context.require(Action::SuspendPermit, &subject)?;
        let current = reader.definition_current(&permit.grant().definition).await?;
        let messages = current.map(|stored| stored.definition.messages.clone()).unwrap_or_default();
        Ok(messages.into_iter().filter(|message| matches!(message.used, MessageUse::Suspend | MessageUse::Revoke)).collect())
    }
}

async fn link_view(reader: &Reader, link: &Membership) -> Result<LinkView, Error> {
    let by = match link.proved_by {
        Some(by) => reader.user_by_id(by).await?.map(|user| user.full_name()),
        None => None,
    };
    Ok(LinkView {
        level: link.level.as_str().to_owned(),
        proof: link.proof.as_str().to_owned(),
        is_external: link.external,
        since: link.created_at.to_string(),
        proved_at: link.proved_at.to_string(),
        proved_by: by,
    })
}

/// The fields under their blocks, in the order of the form; what the form hides is shown here.
fn blocks(loaded: &Loaded, before: Option<&Permit>) -> Result<Vec<ReviewBlock>, Error> {
    let header = loaded.request.header();
    let form = loaded.form()?;
    let answers = header.answers.values();
    let by_field = |found: Vec<Difference>| -> BTreeMap<String, Difference> {
        found.into_iter().map(|difference| (difference.field.clone(), difference)).collect()
    };
    let mut since_form = by_field(comparison::compare_with_prefill(&form.prefill, answers));
    let mut since_permit = before.map(|permit| by_field(comparison::compare(permit.grant().answers.values(), answers))).unwrap_or_default();
    let mut blocks: Vec<ReviewBlock> = Vec::new();
    for asked in loaded.definition.asked(form, header.stage) {
        let id = asked.field.id.clone();
        let name = asked.block.clone();
        let field = ReviewField {
            answer: answers.get(&id).cloned(),
            since_form: since_form.remove(&id),
            since_permit: since_permit.remove(&id),
            asked,
        };
        match blocks.last_mut() {
            Some(block) if block.name == name => block.fields.push(field),
            _ => blocks.push(ReviewBlock { title: loaded.definition.words_of_block(&name).0, name, fields: vec![field] }),
        }
    }
    Ok(blocks)
}
