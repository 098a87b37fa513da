//! People handed over to a product that has a front and an API of its own. A provider has said who they are ([`Asserted`]); here they get the
//! product's account, its organisation, and what the product gets to know them by.

pub mod accounts;
mod arrival;
pub mod legacy;
mod secrets;
pub mod sessions;
pub mod settings;

use std::sync::atomic::{AtomicU64, Ordering};

use octroi_domain::{
    Slug,
    connection::{Connection, HandOff, Product},
    hand_off::ProductRole,
};
use octroi_store::Reader;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    arrival::{Arrived, HandOver, Visit, wish_of},
    sessions::{Exchanged, LoggedOut, ProductMe, Shown},
};
use crate::{context::App, error::Error};

/// How often people were handed over, by mode, since the start.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; 4]);
impl Counts {
    fn count(&self, mode: HandOff) {
        if let Some(counter) = self.0.get(place(mode)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[must_use]
    pub fn of(&self, mode: HandOff) -> u64 {
        self.0.get(place(mode)).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}
const fn place(mode: HandOff) -> usize {
    match mode {
        HandOff::Session => 0,
        HandOff::Code => 1,
        HandOff::Fragment => 2,
        HandOff::QueryLegacy => 3,
    }
}

/// What a product is told of somebody, in the words of the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserInfo {
    pub organization_siret: String,
    pub email: String,
    #[schema(value_type = String)]
    pub role: ProductRole,
    pub api_token: String,
}

impl App {
    /// How often people were handed over, by mode.
    #[must_use]
    pub fn hand_off_counts(&self) -> &Counts {
        &self.inner.hand_offs
    }

    /// The active connection of a product.
    ///
    /// # Errors
    /// `NotFound` when there is none of the name, when it is stopped, and when it is not a product's.
    pub async fn product_connection(&self, slug: &Slug) -> Result<Connection, Error> {
        product_of(&self.inner.store.read(), slug).await.map(|(connection, _)| connection)
    }
}

async fn product_of(reader: &Reader, slug: &Slug) -> Result<(Connection, Product), Error> {
    let stored = reader.connection(slug).await?.filter(|stored| stored.connection.active).ok_or(Error::NotFound)?;
    let connection = stored.connection;
    let product = connection.product().cloned().ok_or(Error::NotFound)?;
    Ok((connection, product))
}
