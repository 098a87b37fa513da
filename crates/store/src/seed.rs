//! Many made-up requests and permits at once, as if they had come one by one: for measuring.

use octroi_domain::{Moment, Slug, access_request::AccessRequest, event::Event, permit::Permit};
use sea_orm::{EntityTrait, IntoActiveModel};

use crate::{StoreError, Tx, access_request, counter, error::At, permit, row::CHUNK};

/// A request with everything that happened to it.
#[derive(Debug)]
pub struct Seeded {
    pub request: AccessRequest,
    /// What lists show.
    pub title: String,
    pub provider: Slug,
    pub submitted_at: Option<Moment>,
    pub decided_at: Option<Moment>,
    /// What it led to.
    pub permit: Option<Permit>,
    /// When, who, what; in order of time.
    pub events: Vec<(Moment, String, Event)>,
}

impl Tx {
    /// Takes as many numbers at once: the first of the requests, and the first of the permits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn seed_numbers(&mut self, requests: i64, permits: i64) -> Result<(i64, i64), StoreError> {
        let mut first = [0, 0];
        for (first, (name, count)) in first.iter_mut().zip([(access_request::TABLE, requests), (permit::TABLE, permits)]) {
            *first = counter::get(&self.db(), name).await? + 1;
            counter::set(&self.db(), name, *first + count - 1).await?;
        }
        let [request, permit] = first;
        Ok((request, permit))
    }

    /// # Errors
    /// [`StoreError::Conflict`] when what a request points at is not there.
    pub async fn seed(&mut self, seeded: Vec<Seeded>) -> Result<(), StoreError> {
        let (mut requests, mut permits) = (Vec::with_capacity(seeded.len()), Vec::new());
        for one in &seeded {
            let mut row = access_request::model(&one.request, &one.title, one.provider.to_string())?;
            row.submitted_at = one.submitted_at.map(Moment::micros);
            row.decided_at = one.decided_at.map(Moment::micros);
            requests.push(row.into_active_model());
            self.wrote(one.request.header().id);
            if let Some(held) = &one.permit {
                permits.push(permit::model(held, &one.title, one.provider.to_string())?.into_active_model());
                self.wrote(held.grant().id);
            }
        }
        for rows in requests.chunks(CHUNK) {
            access_request::table::Entity::insert_many(rows.to_vec())
                .exec_without_returning(&self.db())
                .await
                .at(access_request::TABLE)?;
        }
        for rows in permits.chunks(CHUNK) {
            permit::table::Entity::insert_many(rows.to_vec()).exec_without_returning(&self.db()).await.at(permit::TABLE)?;
        }
        for (at, actor, event) in seeded.into_iter().flat_map(|one| one.events) {
            self.record(at, &actor, event.action(), &event.subject(), event.details());
        }
        Ok(())
    }
}
