//! The lines that lists look through, kept up to date.
//!
//! There is no effect without its entry in the ledger, and entries are committed in the order of their
//! numbers. So what changed since the last look, in this process or in another, is what the entries since
//! then name: those lines are read again before a list is answered.

use std::{
    collections::HashSet,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use octroi_domain::{Id, Numbered, access_request::AccessRequest, organization::Organization, permit::Permit, user::User};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    Reader, Store, StoreError, access_request, permit,
    row::CHUNK,
    search::{Lines, Shared},
};

/// Rows read at once when everything is read.
const BATCH: u64 = 5_000;
/// With more entries than this since the last look, everything is read again.
const TAIL: i64 = 50_000;

/// Every line, as of an entry of the ledger.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// None: nothing was read yet.
    seq: Option<i64>,
    pub(crate) shared: Shared,
    pub(crate) requests: Lines<access_request::Facts>,
    pub(crate) permits: Lines<permit::Facts>,
}

/// What was read of the database, not yet held.
#[derive(Debug, Default)]
struct Batch {
    requests: Vec<access_request::Found>,
    permits: Vec<permit::Found>,
    organizations: Vec<Organization>,
    people: Vec<User>,
}

/// Which rows are read.
pub(crate) enum Rows<'a> {
    /// Some, from this number on.
    After(i64),
    Numbers(&'a [i64]),
}
impl Rows<'_> {
    pub(crate) fn of<E: EntityTrait>(self, query: Select<E>, id: E::Column) -> Select<E> {
        match self {
            Self::After(number) => query.filter(id.gt(number)).order_by_asc(id).limit(BATCH),
            Self::Numbers(numbers) => query.filter(id.is_in(numbers.iter().copied())),
        }
    }
}

impl Held {
    fn take(&mut self, batch: Batch) -> Result<(), StoreError> {
        for organization in batch.organizations {
            self.shared.organizations.put(organization.id.uuid(), &format!("{} {}", organization.name, organization.siret));
        }
        for user in batch.people {
            self.shared.people.put(user.id.uuid(), &format!("{} {}", user.full_name(), user.email));
        }
        for found in batch.requests {
            found.put(&mut self.requests, &mut self.shared)?;
        }
        for found in batch.permits {
            found.put(&mut self.permits, &mut self.shared)?;
        }
        Ok(())
    }

    /// The organisations and people that the rows name and that nobody has read yet.
    fn strangers(&self, batch: &Batch) -> (HashSet<Uuid>, HashSet<Uuid>) {
        let requests = batch.requests.iter().map(|found| (found.organization_id, found.applicant_id));
        let permits = batch.permits.iter().map(|found| (found.organization_id, found.applicant_id));
        let (organizations, people): (HashSet<Uuid>, HashSet<Uuid>) = requests.chain(permits).unzip();
        let unknown_organization = |id: &Uuid| self.shared.organizations.place(id).is_none();
        let unknown_person = |id: &Uuid| self.shared.people.place(id).is_none();
        (organizations.into_iter().filter(unknown_organization).collect(), people.into_iter().filter(unknown_person).collect())
    }
}

/// The lines of one process.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    held: RwLock<Held>,
    /// Held while rows are read: who waits for it finds them read.
    reading: Mutex<()>,
}
impl Lists {
    /// The lines as they are: see [`Store::catch_up`]. Not to be held across an await.
    pub(crate) fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Brings the lines to the last entry of the ledger. The first time all of them are read, which takes
    /// some seconds for 200,000 requests.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let reader = self.read();
        let (head, _) = reader.ledger_head().await?;
        if self.lists().held().seq == Some(head) {
            return Ok(());
        }
        let _alone = self.lists().reading.lock().await;
        let (head, _) = reader.ledger_head().await?;
        let seq = self.lists().held().seq;
        match seq {
            Some(seq) if (seq..=seq.saturating_add(TAIL)).contains(&head) => self.read_since(&reader, seq, head).await,
            _ => self.read_all(&reader, head).await,
        }
    }

    async fn read_all(&self, reader: &Reader, head: i64) -> Result<(), StoreError> {
        let mut fresh = Held { seq: Some(head), ..Held::default() };
        let mut after = 0;
        loop {
            let requests = reader.access_request_found(Rows::After(after)).await?;
            let Some(last) = requests.last() else { break };
            after = last.id;
            let batch = completed(reader, &fresh, Batch { requests, ..Batch::default() }).await?;
            fresh.take(batch)?;
        }
        after = 0;
        loop {
            let permits = reader.permit_found(Rows::After(after)).await?;
            let Some(last) = permits.last() else { break };
            after = last.id;
            let batch = completed(reader, &fresh, Batch { permits, ..Batch::default() }).await?;
            fresh.take(batch)?;
        }
        *self.lists().change() = fresh;
        Ok(())
    }

    /// Reads what the entries after `seq` name, up to `head`.
    async fn read_since(&self, reader: &Reader, seq: i64, head: i64) -> Result<(), StoreError> {
        let subjects = reader.ledger_subjects(seq, head).await?;
        let numbers = |prefix: char| {
            let of = |subject: &String| subject.strip_prefix(prefix)?.parse::<i64>().ok();
            subjects.iter().filter_map(of).collect::<Vec<i64>>()
        };
        let named =
            |prefix: &str| subjects.iter().filter_map(|subject| subject.strip_prefix(prefix)?.parse::<Uuid>().ok()).collect::<Vec<_>>();
        let mut batch = Batch::default();
        for some in numbers(AccessRequest::PREFIX).chunks(CHUNK) {
            batch.requests.extend(reader.access_request_found(Rows::Numbers(some)).await?);
        }
        for some in numbers(Permit::PREFIX).chunks(CHUNK) {
            batch.permits.extend(reader.permit_found(Rows::Numbers(some)).await?);
        }
        // Somebody who was renamed, say: only who is in a list matters.
        let (organizations, people): (Vec<_>, Vec<_>) = {
            let held = self.lists().held();
            let organizations = named("organization:").into_iter().filter(|id| held.shared.organizations.place(id).is_some());
            let people = named("user:").into_iter().filter(|id| held.shared.people.place(id).is_some());
            (organizations.map(Id::from_uuid).collect(), people.map(Id::from_uuid).collect())
        };
        batch.organizations = reader.organizations_by_ids(&organizations).await?;
        batch.people = reader.users_by_ids(&people).await?;
        let (organizations, people) = self.lists().held().strangers(&batch);
        let batch = with_strangers(reader, batch, organizations, people).await?;
        let mut held = self.lists().change();
        held.take(batch)?;
        held.seq = Some(head);
        Ok(())
    }
}

async fn completed(reader: &Reader, held: &Held, batch: Batch) -> Result<Batch, StoreError> {
    let (organizations, people) = held.strangers(&batch);
    with_strangers(reader, batch, organizations, people).await
}

async fn with_strangers(
    reader: &Reader,
    mut batch: Batch,
    organizations: HashSet<Uuid>,
    people: HashSet<Uuid>,
) -> Result<Batch, StoreError> {
    let organizations: Vec<_> = organizations.into_iter().map(Id::from_uuid).collect();
    let people: Vec<_> = people.into_iter().map(Id::from_uuid).collect();
    batch.organizations.extend(reader.organizations_by_ids(&organizations).await?);
    batch.people.extend(reader.users_by_ids(&people).await?);
    Ok(batch)
}
