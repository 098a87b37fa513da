//! How a face asks for lists, and names an organisation.

use octroi_domain::{Id, organization::Organization, organization::Siret};
pub use octroi_store::{
    Cursor, Page, PermitFilter, RequestFilter, SubscriptionFilter, TraceFilter, TraceVisible, Visible,
};

use crate::{context::App, error::Error};

impl App {
    /// The organisation of a SIRET. Only for a name that a policy judges afterwards: it says nothing
    /// to the outside by itself.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn organization_of_siret(&self, siret: &Siret) -> Result<Option<Id<Organization>>, Error> {
        Ok(self.inner.store.read().organization_by_siret(siret).await?.map(|organization| organization.id))
    }
}
