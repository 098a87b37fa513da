//! `cargo xtask seed`: a database full of made-up requests and permits, as after years of use.
//!
//! What it writes went through the moves of `domain`, and each move has its entry in the ledger: the
//! ledger verifies, and every page shows what it would show of real ones. The same count gives the same data.

mod chance;
mod names;
mod stories;

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use octroi_domain::{
    Id, Moment,
    organization::Organization,
    user::{LinkLevel, LinkProof, Membership, User},
};
use octroi_store::{Store, StoredDefinition};

pub use self::names::siret;
use self::{chance::Chance, stories::Stories};
use crate::Result;

/// Requests written in one transaction.
const BATCH: usize = 2_000;
/// Requests of one organisation, on average.
const PER_ORGANIZATION: usize = 20;

/// What was asked for.
struct Options {
    requests: usize,
    url: String,
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let (mut requests, mut url) = (200_000, None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value; see `cargo xtask help`"));
            match *word {
                "--requests" => {
                    let count = value()?.parse::<usize>().ok().filter(|count| (1..=5_000_000).contains(count));
                    requests = count.ok_or("`--requests` takes 1 to 5000000")?;
                }
                "--database" => url = Some((*value()?).to_owned()),
                "--data" => url = Some(format!("sqlite://{}/octroi.db", value()?.trim_end_matches('/'))),
                other => return Err(format!("`{other}` is not an option of seed; see `cargo xtask help`").into()),
            }
        }
        let url = url.ok_or("say where: `--data FOLDER` (of an embedded database) or `--database URL`")?;
        Ok(Self { requests, url })
    }
}

/// Whom requests are made by.
pub struct People {
    /// Each with its people.
    organizations: Vec<(Organization, Vec<User>)>,
    /// Who decides; of an organisation of their own.
    reviewer: User,
}

/// Fills a database.
///
/// # Errors
/// When it cannot be opened or written, is served by a running program, or holds no definition.
pub fn run(words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(fill(&options.url, options.requests))
}

/// # Errors
/// As [`run`].
pub async fn fill(url: &str, requests: usize) -> Result<()> {
    let store = Store::open(url).await?;
    store.migrate().await?;
    let definitions: Vec<StoredDefinition> =
        store.read().definition_list().await?.into_iter().filter(|stored| !stored.retired && stored.definition.startable).collect();
    if definitions.is_empty() {
        return Err("there is no definition yet: `octroi apply FOLDER` first, or start `octroi demo` once".into());
    }
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros()).map(Moment::from_micros)?;
    let started = Instant::now();
    let mut chance = Chance::new(requests);
    let people = people(&store, requests.div_ceil(PER_ORGANIZATION), now, &mut chance).await?;
    let mut stories = Stories::new(&definitions, &people, requests, now, chance)?;
    let mut written = 0;
    while written < requests {
        let mut tx = store.write().await?;
        let (request, permit) = tx.seed_numbers(0, 0).await?;
        let batch = stories.batch(BATCH.min(requests - written), request, permit)?;
        let permits = batch.iter().filter(|seeded| seeded.permit.is_some()).count();
        written += batch.len();
        tx.seed_numbers(i64::try_from(batch.len())?, i64::try_from(permits)?).await?;
        tx.seed(batch).await?;
        tx.gateway_changed();
        tx.commit().await?;
        eprint!("\r{written} of {requests} requests, {:.0} s ", started.elapsed().as_secs_f64());
    }
    eprintln!();
    store.close().await?;
    Ok(())
}

async fn people(store: &Store, count: usize, now: Moment, chance: &mut Chance) -> Result<People> {
    let founded = now.plus_days(-stories::DAYS - 1);
    let mut organizations = Vec::new();
    let mut tx = store.write().await?;
    for place in 0..count {
        let (name, domain) = names::organization(place, chance);
        let organization =
            Organization { id: Id::from_uuid(chance.uuid()), siret: names::siret(place).parse()?, name, created_at: founded };
        if tx.organization_by_siret(&organization.siret).await?.is_some() {
            return Err("the database was seeded before: take a new one".into());
        }
        tx.organization_insert(&organization).await?;
        let mut members = Vec::new();
        for number in 0..2 {
            let user = names::person(place * 2 + number, &domain, founded, chance);
            tx.user_insert(&user, None).await?;
            let (user_id, organization) = (user.id, organization.id);
            tx.membership_insert(&Membership::new(user_id, organization, LinkLevel::Verified, LinkProof::Recorded, founded)).await?;
            members.push(user);
        }
        organizations.push((organization, members));
    }
    let reviewer = names::person(count * 2, "instruction.example", founded, chance);
    tx.user_insert(&reviewer, None).await?;
    tx.record(now, "system", "seed.people", "seed", serde_json::json!({ "organizations": count }));
    tx.commit().await?;
    Ok(People { organizations, reviewer })
}
