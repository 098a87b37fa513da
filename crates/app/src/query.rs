//! How a face asks for lists, and the two questions that it asks about organisations.

use octroi_domain::{
    Id,
    application::Application,
    organization::{Organization, RegistryId},
};
pub use octroi_store::{
    Cursor, KindName, OutboxState, Page, PermitFilter, PermitSort, RequestFilter, RequestSort, SubscriptionFilter, TraceFilter,
    TraceVisible, Visible,
};

use crate::{context::App, error::Error};

impl App {
    /// The organisation of a SIRET. Only for a name that a policy judges afterwards: it says nothing
    /// to the outside by itself.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn organization_of_siret(&self, siret: &RegistryId) -> Result<Option<Id<Organization>>, Error> {
        Ok(self.inner.store.read().organization_by_siret(siret).await?.map(|organization| organization.id))
    }

    /// Do two OAuth clients belong to one organisation? An unknown client belongs to none.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn same_organization(&self, one: &str, other: &str) -> Result<bool, Error> {
        let (Ok(one), Ok(other)) = (one.parse::<Id<Application>>(), other.parse::<Id<Application>>()) else { return Ok(false) };
        let reader = self.inner.store.read();
        let (one, other) = (reader.application_by_id(one).await?, reader.application_by_id(other).await?);
        Ok(one.zip(other).is_some_and(|(one, other)| one.organization == other.organization))
    }
}
