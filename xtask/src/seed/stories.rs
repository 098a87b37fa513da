//! What happens to each made-up request, by the moves of `domain`.

use std::collections::BTreeMap;

use octroi_domain::{
    Id, Moment, Number,
    access_request::{AccessRequest, Approval, Draft, Header, Kind, Submitted},
    definition::{Answers, Form},
    event::Event,
    organization::Organization,
    permit::Permit,
    user::User,
};
use octroi_store::{Seeded, StoredDefinition};
use serde_json::json;

use super::{People, chance::Chance, names};
use crate::Result;

/// Requests are of this many days.
pub const DAYS: i64 = 900;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A form of a definition, with complete answers to it.
struct Template<'a> {
    stored: &'a StoredDefinition,
    form: &'a Form,
    answers: Answers,
}

/// A permit in force that an amendment may be asked for.
struct Amendable {
    place: usize,
    permit: Number<Permit>,
    granted_at: Moment,
    template: usize,
    organization: Id<Organization>,
    applicant: Id<User>,
}

/// Tells one request after the other, from the oldest to the newest.
pub struct Stories<'a> {
    templates: Vec<Template<'a>>,
    people: &'a People,
    count: usize,
    told: usize,
    now: Moment,
    chance: Chance,
}

/// A request that is being told.
struct Story {
    request: AccessRequest,
    title: String,
    template: usize,
    submitted_at: Option<Moment>,
    decided_at: Option<Moment>,
    permit: Option<Permit>,
    events: Vec<(Moment, String, Event)>,
}

impl<'a> Stories<'a> {
    /// # Errors
    /// When no form of a definition has an example that satisfies it.
    pub fn new(definitions: &'a [StoredDefinition], people: &'a People, count: usize, now: Moment, chance: Chance) -> Result<Self> {
        let mut templates = Vec::new();
        for stored in definitions {
            for form in stored.definition.forms.iter().filter(|form| form.startable) {
                if let Ok(answers) = stored.definition.example(form, stored.definition.first_stage(), now) {
                    templates.push(Template { stored, form, answers });
                }
            }
        }
        // The definition with the most forms is the most asked for.
        templates.sort_by_key(|template| std::cmp::Reverse(template.stored.definition.forms.len()));
        if templates.is_empty() {
            return Err("no form has an example that satisfies it".into());
        }
        Ok(Self { templates, people, count, told: 0, now, chance })
    }

    /// The next requests, their numbers and those of their permits counted from these on.
    ///
    /// # Errors
    /// When a move is refused: then the stories are wrong.
    pub fn batch(&mut self, size: usize, first_request: i64, first_permit: i64) -> Result<Vec<Seeded>> {
        let mut stories: Vec<Story> = Vec::with_capacity(size);
        let mut amendable: Vec<Amendable> = Vec::new();
        let mut permit = first_permit;
        for place in 0..size {
            let wanted = self.chance.percent(6) && !amendable.is_empty();
            let old = wanted.then(|| amendable.swap_remove(self.chance.below(amendable.len())));
            let old = old.filter(|old| old.granted_at.plus_days(60) < self.now);
            let mut story = self.draft(first_request + i64::try_from(place)?, old.as_ref())?;
            self.go_on(&mut story, &mut permit)?;
            if let (Some(old), Some(new)) = (old, story.permit.as_ref()) {
                supersede(&mut stories, &old, new);
            }
            if let Some(Permit::Active(active)) = &story.permit {
                let header = story.request.header();
                let (organization, applicant) = (header.organization, header.applicant);
                let (permit, granted_at) = (active.grant().id, active.grant().granted_at);
                amendable.push(Amendable { place, permit, granted_at, template: story.template, organization, applicant });
            }
            stories.push(story);
        }
        self.told += size;
        let mut events = Vec::new();
        let mut seeded: Vec<Seeded> = stories.into_iter().map(|story| self.seeded(story, &mut events)).collect();
        // The ledger is in the order of time.
        events.sort_by_key(|(at, ..)| *at);
        if let Some(first) = seeded.first_mut() {
            first.events = events;
        }
        Ok(seeded)
    }

    fn seeded(&self, story: Story, events: &mut Vec<(Moment, String, Event)>) -> Seeded {
        events.extend(story.events);
        let provider = self.templates.get(story.template).map(|template| template.stored.definition.provider.clone());
        Seeded {
            provider: provider.unwrap_or_else(|| story.request.header().definition.clone()),
            request: story.request,
            title: story.title,
            submitted_at: story.submitted_at,
            decided_at: story.decided_at,
            permit: story.permit,
            events: Vec::new(),
        }
    }

    /// At least half of all requests are for the first definition.
    fn template(&mut self) -> usize {
        let first = self.templates.first().map(|template| &template.stored.slug);
        let of_first = self.templates.iter().take_while(|template| Some(&template.stored.slug) == first).count();
        if self.chance.percent(50) { self.chance.below(of_first) } else { self.chance.below(self.templates.len()) }
    }

    fn draft(&mut self, number: i64, old: Option<&Amendable>) -> Result<Story> {
        // More each month than the month before.
        let (told, count) = (i64::try_from(self.told)?, i64::try_from(self.count)?);
        let part = (told + i64::try_from(self.chance.below(2_000))?).min(count) * 1_000_000 / count;
        let age = DAYS * DAY - DAYS * DAY / 1_000_000 * part + i64::try_from(self.chance.below(86_400))?;
        let created_at = match old {
            Some(old) => old.granted_at.plus_seconds(DAY + self.chance.small(50 * DAY)),
            None => self.now.plus_seconds(-age.max(HOUR)),
        };
        let template = old.map_or_else(|| self.template(), |old| old.template);
        let (organization, members) = self.chance.one(&self.people.organizations).ok_or("there is no organisation")?;
        let member = self.chance.one(members).ok_or("there is nobody")?;
        let (organization_id, applicant) = old.map_or((organization.id, member.id), |old| (old.organization, old.applicant));
        let name = self.people.organizations.iter().find(|(found, _)| old.is_none() || found.id == organization_id);
        let title =
            names::project(if old.is_none() { &organization.name } else { name.map_or("", |(found, _)| &found.name) }, &mut self.chance);
        let model = self.templates.get(template).ok_or("no such form")?;
        let mut values: BTreeMap<_, _> = model.answers.values().clone();
        if values.contains_key("title") {
            values.insert("title".to_owned(), json!(title));
        }
        let id = Number::new(number);
        let header = Header {
            id,
            kind: old.map_or(Kind::Initial, |old| Kind::Amendment { of: old.permit }),
            definition: model.stored.slug.clone(),
            definition_version: model.stored.version,
            form: model.form.slug.clone(),
            stage: model.stored.definition.first_stage(),
            applicant,
            organization: organization_id,
            created_at,
            updated_at: created_at,
            version: 1,
            answers: Answers::trusted(values),
        };
        let request = AccessRequest::Draft(Draft::new(header));
        let events = vec![(created_at, format!("user:{applicant}"), Event::RequestCreated { request: id })];
        Ok(Story { request, title, template, submitted_at: None, decided_at: None, permit: None, events })
    }

    /// From the draft to where it stands today.
    fn go_on(&mut self, story: &mut Story, permit: &mut i64) -> Result<()> {
        let AccessRequest::Draft(draft) = story.request.clone() else { return Ok(()) };
        let header = story.request.header().clone();
        let (applicant, reviewer) = (format!("user:{}", header.applicant), format!("user:{}", self.people.reviewer.id));
        let age = self.now.seconds() - header.created_at.seconds();
        let at = header.created_at.plus_seconds(HOUR / 2 + self.chance.small(10 * DAY));
        if at >= self.now || self.chance.percent(4) {
            if age > 200 * DAY && self.chance.percent(50) {
                let at = header.created_at.plus_seconds(100 * DAY);
                let (archived, event) = draft.archive(at);
                (story.request, _) = (AccessRequest::Archived(archived), story.events.push((at, applicant, event)));
            }
            return Ok(());
        }
        let model = self.templates.get(story.template).ok_or("no such form")?;
        let judge = |answers: &Answers| model.stored.definition.complete(model.form, header.stage, answers, header.created_at);
        let complete = |answers: &Answers| judge(answers).map_err(|faults| format!("an example is not complete: {:?}", faults.first()));
        let (mut submitted, event) = draft.submit(complete(&header.answers)?, at);
        story.events.push((at, applicant.clone(), event));
        story.submitted_at = Some(at);
        let mut last = at;
        // Back once in five times; not all come again.
        if self.chance.percent(20) {
            let back = last.plus_seconds(HOUR + self.chance.small(20 * DAY));
            let again = back.plus_seconds(HOUR + self.chance.small(30 * DAY));
            if back < self.now {
                let (changes, event) = submitted.request_changes("Précisez la finalité, s’il vous plaît.".to_owned(), back);
                story.events.push((back, reviewer.clone(), event));
                if again >= self.now || self.chance.percent(10) {
                    story.request = AccessRequest::ChangesRequested(changes);
                    return Ok(());
                }
                let (resubmitted, event) = changes.submit(complete(&header.answers)?, again);
                story.events.push((again, applicant.clone(), event));
                (submitted, last) = (resubmitted, again);
            }
        }
        let at = last.plus_seconds(HOUR + self.chance.small(45 * DAY));
        if at >= self.now {
            story.request = AccessRequest::Submitted(submitted);
            return Ok(());
        }
        story.decided_at = Some(at);
        self.decide(story, submitted, at, (applicant, reviewer), permit)
    }

    fn decide(
        &mut self,
        story: &mut Story,
        submitted: Submitted,
        at: Moment,
        (applicant, reviewer): (String, String),
        permit: &mut i64,
    ) -> Result<()> {
        if self.chance.percent(15) {
            let (refused, event) = submitted.refuse("La finalité ne relève pas de ce cadre.".to_owned(), at);
            story.events.push((at, reviewer, event));
            story.request = AccessRequest::Refused(refused.clone());
            let later = at.plus_seconds(30 * DAY);
            if later < self.now && self.chance.percent(40) {
                let (archived, event) = refused.archive(later);
                story.events.push((later, applicant, event));
                story.request = AccessRequest::Archived(archived);
            }
            return Ok(());
        }
        let model = self.templates.get(story.template).ok_or("no such form")?;
        let header = AccessRequest::Submitted(submitted.clone()).header().clone();
        let months = model.stored.definition.validity_months;
        let approval = Approval {
            permit: Number::new(*permit),
            by: self.people.reviewer.id,
            at,
            read: header.version,
            read_content: None,
            expires_at: months.map(|months| at.plus_months(months)),
            message: None,
        };
        let (approved, active, event) = submitted.approve(approval).map_err(|_| "an approval was refused")?;
        story.events.push((at, reviewer.clone(), Event::RequestApproved { request: header.id, permit: Number::new(*permit) }));
        story.events.push((at, reviewer.clone(), event));
        story.request = AccessRequest::Approved(approved);
        *permit += 1;
        let expires = active.grant().expires_at;
        let later = at.plus_seconds(10 * DAY);
        let held = Permit::Active(active.clone());
        let open = held.open().map_err(|_| "a permit in force is not open")?;
        story.permit = Some(match expires {
            Some(expires) if expires < self.now => {
                let (ended, event) = open.expire(expires);
                story.events.push((expires, "system".to_owned(), event));
                Permit::Ended(ended)
            }
            _ if later < self.now && self.chance.percent(3) => {
                let (ended, event) = open.revoke(self.people.reviewer.id, later, "La convention a pris fin.".to_owned());
                story.events.push((later, reviewer, event));
                Permit::Ended(ended)
            }
            _ if later < self.now && self.chance.percent(1) => {
                let (suspended, event) = active.suspend(later, "Vérification en cours.".to_owned());
                story.events.push((later, reviewer, event));
                Permit::Suspended(suspended)
            }
            _ => Permit::Active(active),
        });
        Ok(())
    }
}

/// The amended permit ends when the new one begins, if it was granted before.
fn supersede(stories: &mut [Story], old: &Amendable, new: &Permit) {
    let Some(story) = stories.get_mut(old.place) else { return };
    let Some(Permit::Active(active)) = &story.permit else { return };
    let at = new.grant().granted_at;
    let (ended, event) = active.clone().supersede(new.grant().id, at);
    story.events.push((at, "system".to_owned(), event));
    story.permit = Some(Permit::Ended(ended));
}
