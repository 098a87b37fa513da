//! What a code or a refresh token is worth. Those that are shown while others are being looked at are looked at together, in
//! one transaction: each is answered for itself, and the database is asked once for all.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use octroi_domain::{
    Id, Moment,
    sign_on::{Grant, RefreshToken, RefreshUse},
};
use octroi_oauth::{
    parameters::{Parameters, no_scope, tokens},
    pkce::Challenge,
    secret::PlainSecret,
};
use octroi_store::{StoredCode, Tx};
use serde_json::json;
use tokio::sync::oneshot;

use super::{
    Known, Refusal, SignOnError,
    binding::Binding,
    claims::{self, Told},
};
use crate::{context::App, error::Error};

/// One sentence for a code that is unknown, used, out of date, of another client or not proven.
const BAD_CODE: &str = "the code is unknown, used, out of date, or not this client's; or redirect_uri or code_verifier is not its own";
const BAD_REFRESH: &str = "the refresh token is unknown, used, out of date, revoked, or not this client's";

/// In one transaction.
const TOGETHER: usize = 64;

/// What is shown, by its digest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown {
    Code([u8; 32]),
    Refresh([u8; 32]),
}

/// A client that proved who it is shows a code or a refresh token.
pub(super) struct Exchange {
    pub known: Arc<Known>,
    pub binding: Binding,
    pub parameters: Parameters,
    pub now: Moment,
    pub shown: Shown,
}

/// What it gets for it.
pub(super) struct Granted {
    pub grant: Grant,
    pub scopes: Vec<String>,
    pub audiences: Vec<String>,
    pub binding: Binding,
    pub told: Told,
    pub nonce: Option<String>,
    pub refresh: Option<PlainSecret>,
}

type Outcome = Result<Granted, SignOnError>;
type Asked = (Exchange, oneshot::Sender<Outcome>);

/// Those who wait for the transaction that is under way, which somebody sees to.
#[derive(Default)]
pub(crate) struct Exchanges(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asked>,
    busy: bool,
}

impl Exchanges {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True: nobody sees to the queue yet.
    fn enter(&self, asked: Asked) -> bool {
        let mut queue = self.queue();
        queue.waiting.push_back(asked);
        !std::mem::replace(&mut queue.busy, true)
    }

    /// Those whose turn it is; nobody sees to the queue any more when there are none.
    fn next(&self) -> Vec<Asked> {
        let mut queue = self.queue();
        let some = queue.waiting.len().min(TOGETHER);
        let next: Vec<Asked> = queue.waiting.drain(..some).collect();
        queue.busy = !next.is_empty();
        next
    }

    /// Those whose grant was changed for somebody before them see what became of it.
    fn again(&self, asked: Asked) {
        self.queue().waiting.push_front(asked);
    }
}

/// Whoever breaks off leaves the queue empty, and those who waited are told that it failed.
struct Leading<'a> {
    exchanges: &'a Exchanges,
    ended: bool,
}
impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let left = std::mem::take(&mut *self.exchanges.queue());
            drop(left);
        }
    }
}

/// What a transaction writes for all who were answered well.
#[derive(Default)]
struct Changes {
    used: Vec<[u8; 32]>,
    replaced: Vec<Id<Grant>>,
    made: Vec<([u8; 32], RefreshToken)>,
    extended: Vec<Grant>,
}

impl App {
    /// Takes a code or a refresh token, once.
    pub(super) async fn exchange(&self, asked: Exchange) -> Outcome {
        let (tell, told) = oneshot::channel();
        if self.inner.sign_on.exchanges.enter((asked, tell)) {
            let app = self.clone();
            // In a task of its own: others wait for it, whatever becomes of who began it.
            tokio::spawn(async move { app.exchange_all().await });
        }
        told.await.unwrap_or_else(|_| Err(Error::Internal("an exchange was given up".to_owned()).into()))
    }

    async fn exchange_all(&self) {
        let exchanges = &self.inner.sign_on.exchanges;
        let mut leading = Leading { exchanges, ended: false };
        loop {
            // Those who are just coming in come along.
            tokio::task::yield_now().await;
            let asked = exchanges.next();
            if asked.is_empty() {
                leading.ended = true;
                return;
            }
            self.exchange_some(asked).await;
        }
    }

    async fn exchange_some(&self, asked: Vec<Asked>) {
        let (asked, tell): (Vec<Exchange>, Vec<_>) = asked.into_iter().unzip();
        match self.exchange_together(&asked).await {
            Ok(outcomes) => {
                for ((asked, tell), outcome) in asked.into_iter().zip(tell).zip(outcomes) {
                    match outcome {
                        // Who no longer listens has given up.
                        Some(outcome) => drop(tell.send(outcome)),
                        None => self.inner.sign_on.exchanges.again((asked, tell)),
                    }
                }
            }
            // One of them may be at fault: each by itself.
            Err(error) if asked.len() > 1 => {
                tracing::warn!(%error, count = asked.len(), "exchanges failed together");
                for (asked, tell) in asked.into_iter().zip(tell) {
                    let outcome = self.exchange_together(std::slice::from_ref(&asked)).await;
                    let lost = || Err(Error::Internal("an exchange without an outcome".to_owned()).into());
                    drop(tell.send(outcome.and_then(|mut outcomes| outcomes.pop().flatten().unwrap_or_else(lost))));
                }
            }
            Err(error) => {
                for (error, tell) in std::iter::once(error).zip(tell) {
                    drop(tell.send(Err(error)));
                }
            }
        }
    }

    /// None for those who have to be looked at once more: another was before them with the same grant.
    async fn exchange_together(&self, asked: &[Exchange]) -> Result<Vec<Option<Outcome>>, SignOnError> {
        let codes = asked.iter().filter_map(|asked| if let Shown::Code(digest) = asked.shown { Some(digest) } else { None });
        let tokens = asked.iter().filter_map(|asked| if let Shown::Refresh(digest) = asked.shown { Some(digest) } else { None });
        let (codes, tokens): (Vec<_>, Vec<_>) = (codes.collect(), tokens.collect());
        let mut tx = self.inner.store.write().await?;
        let codes: HashMap<_, _> = tx.codes_lock(&codes).await?.into_iter().collect();
        let tokens: HashMap<_, _> =
            tx.refresh_tokens_lock(&tokens).await?.into_iter().map(|(digest, token, grant)| (digest, (token, grant))).collect();
        let (mut seen, mut changes, mut outcomes) = (HashSet::new(), Changes::default(), Vec::with_capacity(asked.len()));
        for asked in asked {
            let outcome = match asked.shown {
                Shown::Code(digest) => match codes.get(&digest).filter(|found| found.grant.client == asked.known.client.id) {
                    Some(found) if !seen.insert(found.grant.id) => None,
                    Some(found) => Some(self.by_code(&mut tx, asked, digest, found, &mut changes).await),
                    None => Some(Err(Refusal::grant(BAD_CODE).into())),
                },
                Shown::Refresh(digest) => match tokens.get(&digest).filter(|(_, grant)| grant.client == asked.known.client.id) {
                    Some((_, grant)) if !seen.insert(grant.id) => None,
                    Some((held, grant)) => Some(self.by_refresh(&mut tx, asked, held, grant, &mut changes).await),
                    None => Some(Err(Refusal::grant(BAD_REFRESH).into())),
                },
            };
            if let Some(Err(SignOnError::Failed(error))) = outcome {
                return Err(error.into());
            }
            outcomes.push(outcome);
        }
        // The time of the last: they came together.
        let now = asked.iter().map(|asked| asked.now).max().unwrap_or(Moment::from_micros(0));
        tx.codes_used(&changes.used, now).await?;
        tx.refresh_tokens_replaced(&changes.replaced, now).await?;
        tx.refresh_tokens_insert(&changes.made).await?;
        tx.grants_extend(&changes.extended).await?;
        tx.commit().await?;
        Ok(outcomes)
    }

    async fn by_code(&self, tx: &mut Tx, asked: &Exchange, digest: [u8; 32], found: &StoredCode, changes: &mut Changes) -> Outcome {
        let Exchange { known, binding, parameters, now, .. } = asked;
        let refused = || SignOnError::from(Refusal::grant(BAD_CODE));
        let grant = &found.grant;
        if found.used_at.is_some() {
            // Two hold the code: what the first was given ends (RFC 6749 section 4.1.2).
            if tx.grant_end(grant.id, *now).await? {
                let subject = format!("client:{}", known.client.id);
                tx.record(*now, &subject, "code.reused", &subject, json!({ "grant": grant.id }));
            }
            return Err(refused());
        }
        let facts = &found.facts;
        let proven = match (&facts.challenge, parameters.get("code_verifier")) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => Challenge::read(challenge).is_some_and(|challenge| challenge.is_of(verifier)),
            // A verifier for a code without challenge: somebody took the challenge away (RFC 9700 section 4.8.2).
            (None, Some(_)) | (Some(_), None) => false,
        };
        let same_key = facts.jkt.is_none() || facts.jkt == binding.jkt;
        let same_address = parameters.get("redirect_uri") == Some(facts.redirect_uri.as_str());
        if *now >= found.expires_at || grant.ended_at.is_some() || !proven || !same_key || !same_address {
            return Err(refused());
        }
        let scopes = grant.facts.scopes.clone();
        let granted = self.granted(tx, asked, grant, scopes, facts.nonce.clone(), changes).await?.ok_or_else(refused)?;
        changes.used.push(digest);
        Ok(granted)
    }

    async fn by_refresh(&self, tx: &mut Tx, asked: &Exchange, held: &RefreshToken, grant: &Grant, changes: &mut Changes) -> Outcome {
        let Exchange { known, binding, parameters, now, .. } = asked;
        let refused = || SignOnError::from(Refusal::grant(BAD_REFRESH));
        if grant.ended_at.is_some() {
            return Err(refused());
        }
        match held.shown(*now) {
            RefreshUse::Good => {}
            RefreshUse::Expired => return Err(refused()),
            RefreshUse::Reused => {
                tx.grant_end(grant.id, *now).await?;
                let subject = format!("client:{}", known.client.id);
                tx.record(*now, &subject, "refresh_token.reused", &subject, json!({ "grant": grant.id }));
                return Err(refused());
            }
        }
        if held.jkt.is_some() && held.jkt != binding.holder() {
            return Err(refused());
        }
        let scopes = narrowed(parameters, grant)?;
        let granted = self.granted(tx, asked, grant, scopes, None, changes).await?.ok_or_else(refused)?;
        // Of several that came of one answer that was lost, or stolen, the first to be used goes on alone.
        if held.replaced_at.is_none() {
            changes.replaced.push(grant.id);
        }
        Ok(granted)
    }

    /// None when the person is not there any more.
    async fn granted(
        &self,
        tx: &Tx,
        asked: &Exchange,
        grant: &Grant,
        scopes: Vec<String>,
        nonce: Option<String>,
        changes: &mut Changes,
    ) -> Result<Option<Granted>, SignOnError> {
        let Exchange { known, binding, parameters, now, .. } = asked;
        let audiences = self.audiences(parameters, grant)?;
        let claims = claims::asked(known, &grant.facts);
        let Some(told) = Told::for_id_token(tx, grant, &claims).await? else { return Ok(None) };
        let refresh = Self::refresh_token(known, grant, binding, *now)?.map(|(secret, token)| {
            let until = token.expires_at.max(now.plus_seconds(i64::from(known.client.access_token_seconds)));
            if grant.expires_at < until {
                changes.extended.push(Grant { expires_at: until, ..grant.clone() });
            }
            changes.made.push((secret.digest(), token));
            secret
        });
        Ok(Some(Granted { grant: grant.clone(), scopes, audiences, binding: binding.clone(), told, nonce, refresh }))
    }

    /// Whom the access token is for (RFC 8707 section 2.2): what is asked for now, of what was asked for then.
    fn audiences(&self, parameters: &Parameters, grant: &Grant) -> Result<Vec<String>, Refusal> {
        let asked: Vec<String> = parameters.all("resource").map(str::to_owned).collect();
        let then = &grant.facts.resources;
        if asked.iter().any(|resource| !then.contains(resource) && resource != self.issuer()) {
            return Err(Refusal::new(400, "invalid_target", "the resource was not part of the request"));
        }
        if !asked.is_empty() {
            return Ok(asked);
        }
        let mut all = then.clone();
        if !all.is_empty() && grant.facts.has_scope("openid") && !all.iter().any(|resource| resource == self.issuer()) {
            all.push(self.issuer().to_owned());
        }
        Ok(all)
    }
}

/// The scopes of a refresh: never more than were given (RFC 6749 section 6).
fn narrowed(parameters: &Parameters, grant: &Grant) -> Result<Vec<String>, Refusal> {
    let Some(text) = parameters.get("scope") else { return Ok(grant.facts.scopes.clone()) };
    let asked = tokens(text, 100).map_err(|bad| Refusal::new(400, "invalid_scope", no_scope(&bad)))?;
    match asked.iter().find(|scope| !grant.facts.has_scope(scope)) {
        Some(other) => Err(Refusal::new(400, "invalid_scope", format!("the scope `{other}` was not given"))),
        None => Ok(asked),
    }
}
