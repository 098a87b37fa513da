//! The public register: every permit in force, and nothing of the people behind it.

use std::collections::HashMap;

use octroi_domain::{
    Number, Slug,
    feed::PermitStatus,
    permit::{Grant, Permit},
    policy::{Action, Subject},
};
use octroi_store::{Page, PermitFilter, PermitSummary, Visible};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
};

/// Which permits in force are wanted; what is empty asks for nothing in particular.
#[derive(Debug, Clone, Default)]
pub struct RegisterFilter {
    /// Words, each the beginning of one in the title or the organisation's name and SIRET; `H12` finds the number.
    pub text: Option<String>,
    pub definitions: Vec<Slug>,
    pub providers: Vec<Slug>,
}

/// One page of the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Register {
    /// How many there are on all pages.
    pub total: u64,
    pub items: Vec<RegisterEntry>,
    /// The `cursor` of the following page.
    pub next: Option<String>,
}

/// A permit in force, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegisterEntry {
    /// `H` and a number.
    pub id: String,
    pub definition: String,
    pub provider: String,
    /// None: it covers the sandbox and production.
    pub stage: Option<String>,
    pub organization: String,
    pub siret: String,
    pub title: String,
    pub scopes: Vec<String>,
    pub legal_basis: Option<String>,
    pub legal_basis_url: Option<String>,
    pub purpose: Option<String>,
    pub granted_at: String,
    pub expires_at: Option<String>,
}
impl RegisterEntry {
    fn new(summary: PermitSummary, grant: Option<&Grant>) -> Self {
        let answer = |field: &str| grant.and_then(|grant| grant.answers.text(field)).map(str::to_owned);
        Self {
            id: summary.id.to_string(),
            definition: summary.definition.to_string(),
            provider: summary.provider.to_string(),
            stage: summary.stage.map(|stage| stage.to_string()),
            organization: summary.organization_name,
            siret: summary.siret.to_string(),
            title: summary.title,
            scopes: summary.scopes.iter().map(ToString::to_string).collect(),
            legal_basis: answer("legal_basis"),
            legal_basis_url: answer("legal_basis_url"),
            purpose: answer("purpose"),
            granted_at: summary.granted_at.to_string(),
            expires_at: summary.expires_at.map(|moment| moment.to_string()),
        }
    }
}

impl App {
    /// The permits in force, the latest granted first.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn register(&self, context: &Context, filter: RegisterFilter, page: Page) -> Result<Register, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let filter = PermitFilter {
            statuses: vec![PermitStatus::Active],
            definitions: filter.definitions,
            providers: filter.providers,
            text: filter.text,
            people: false,
            ..PermitFilter::within(Visible::All)
        };
        let store = &self.inner.store;
        let counts = store.permit_counts(&filter).await?;
        let listing = store.permit_list(&filter, page).await?;
        let numbers: Vec<Number<Permit>> = listing.items.iter().map(|summary| summary.id).collect();
        let grants: HashMap<_, _> = store.read().grants(&numbers).await?.into_iter().map(|grant| (grant.id, grant)).collect();
        let items = listing.items.into_iter().map(|summary| {
            let grant = grants.get(&summary.id);
            RegisterEntry::new(summary, grant)
        });
        Ok(Register {
            total: counts.iter().filter(|(status, _)| *status == PermitStatus::Active).map(|(_, count)| count).sum(),
            items: items.collect(),
            next: listing.next.map(|cursor| cursor.to_string()),
        })
    }
}
