//! No sequence of moves reaches an illegal state; a permit's content never changes; an approval
//! binds the version that was read.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

use std::collections::BTreeMap;

use octroi_domain::{
    Id, Moment, Number,
    access_request::{AccessRequest, Approval, Draft, Header, Kind, State},
    definition::{Block, Definition, Form},
    permit::{Grant, Permit},
    scope::OfferedScope,
    text::Text,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

fn text() -> Text {
    Text::new("a", "b")
}

fn definition() -> Definition {
    let scope = |value: &str| OfferedScope {
        value: value.parse().unwrap(),
        name: text(),
        description: None,
        group: text(),
        included: false,
        deprecated_since: None,
    };
    let form = Form {
        slug: "free".parse().unwrap(),
        name: text(),
        introduction: None,
        use_case: None,
        vendor: None,
        default: true,
        startable: true,
        prefill: BTreeMap::new(),
        locked: [].into(),
        hidden: [].into(),
        scopes: Vec::new(),
        example: BTreeMap::new(),
    };
    Definition {
        slug: "income".parse().unwrap(),
        provider: "dinum".parse().unwrap(),
        name: text(),
        description: text(),
        apis: vec!["dinum/income".parse().unwrap()],
        terms_url: None,
        support: None,
        stages: Vec::new(),
        unique: false,
        startable: true,
        features: Default::default(),
        validity_months: None,
        blocks: vec![Block::BasicInformation {}, Block::PersonalData {}, Block::LegalBasis {}, Block::Scopes {}],
        scopes: vec![scope("a"), scope("b")],
        scope_rules: Vec::new(),
        modalities: Vec::new(),
        messages: Vec::new(),
        forms: vec![form],
    }
}

fn header(definition: &Definition) -> Header {
    let at = Moment::from_micros(0);
    Header {
        id: Number::new(1),
        kind: Kind::Initial,
        definition: definition.slug.clone(),
        definition_version: 1,
        form: "free".parse().unwrap(),
        stage: None,
        applicant: Id::from_uuid(Uuid::from_u128(1)),
        organization: Id::from_uuid(Uuid::from_u128(2)),
        created_at: at,
        updated_at: at,
        version: 1,
        answers: definition.prefilled(&definition.forms[0], None),
    }
}

#[derive(Debug, Clone)]
enum Move {
    Edit(bool),
    Submit,
    RequestChanges,
    Refuse,
    /// How far behind the version that the reviewer read is.
    Approve(u32),
    Archive,
    Store,
    Suspend,
    Resume,
    Revoke,
    Expire,
    Supersede,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        any::<bool>().prop_map(Move::Edit),
        Just(Move::Submit),
        Just(Move::RequestChanges),
        Just(Move::Refuse),
        (0_u32..3).prop_map(Move::Approve),
        Just(Move::Archive),
        Just(Move::Store),
        Just(Move::Suspend),
        Just(Move::Resume),
        Just(Move::Revoke),
        Just(Move::Expire),
        Just(Move::Supersede),
    ];
    proptest::collection::vec(one, 0..60)
}

/// The request, the permit that it led to, and what that permit granted on its first day.
struct World {
    definition: Definition,
    request: AccessRequest,
    permit: Option<Permit>,
    granted: Option<Grant>,
}

impl World {
    fn step(&mut self, step: &Move, now: Moment) {
        let form = self.definition.forms[0].clone();
        let before = self.request.clone();
        let after = match (before.clone(), step) {
            (AccessRequest::Draft(state), Move::Edit(full)) => AccessRequest::Draft(state.edit(self.answers(*full), now)),
            (AccessRequest::ChangesRequested(state), Move::Edit(full)) => {
                AccessRequest::ChangesRequested(state.edit(self.answers(*full), now))
            }
            (AccessRequest::Draft(state), Move::Submit) => match self.definition.complete(&form, None, &before.header().answers, now) {
                Ok(complete) => AccessRequest::Submitted(state.submit(complete, now).0),
                Err(_) => before.clone(),
            },
            (AccessRequest::ChangesRequested(state), Move::Submit) => {
                match self.definition.complete(&form, None, &before.header().answers, now) {
                    Ok(complete) => AccessRequest::Submitted(state.submit(complete, now).0),
                    Err(_) => before.clone(),
                }
            }
            (AccessRequest::Submitted(state), Move::RequestChanges) => {
                AccessRequest::ChangesRequested(state.request_changes("why".into(), now).0)
            }
            (AccessRequest::Submitted(state), Move::Refuse) => AccessRequest::Refused(state.refuse("why".into(), now).0),
            (AccessRequest::Submitted(state), Move::Approve(behind)) => {
                let current = before.header().version;
                let approval = Approval {
                    permit: Number::new(7),
                    by: Id::from_uuid(Uuid::from_u128(9)),
                    at: now,
                    read: current - behind,
                    read_content: None,
                    expires_at: None,
                    message: None,
                };
                match state.approve(approval) {
                    Ok((approved, active, _)) => {
                        assert_eq!(*behind, 0, "a version that was not read was approved");
                        assert_eq!(active.grant().content, before.header().content(), "the grant is not what was read");
                        assert_eq!(active.grant().answers, before.header().answers);
                        assert!(self.permit.is_none(), "two permits for one request");
                        self.granted = Some(active.grant().clone());
                        self.permit = Some(Permit::Active(active));
                        AccessRequest::Approved(approved)
                    }
                    Err((same, stale)) => {
                        assert_ne!(*behind, 0);
                        assert_eq!(stale.current, current);
                        AccessRequest::Submitted(*same)
                    }
                }
            }
            (AccessRequest::Draft(state), Move::Archive) => AccessRequest::Archived(state.archive(now).0),
            (AccessRequest::ChangesRequested(state), Move::Archive) => AccessRequest::Archived(state.archive(now).0),
            (AccessRequest::Refused(state), Move::Archive) => AccessRequest::Archived(state.archive(now).0),
            (state, Move::Store) => {
                let (header, record) = state.to_parts();
                let record = serde_json::from_value(serde_json::to_value(record).unwrap()).unwrap();
                let header = serde_json::from_value(serde_json::to_value(header).unwrap()).unwrap();
                AccessRequest::from_parts(header, record)
            }
            (state, _) => state,
        };
        if matches!(step, Move::Store) {
            assert_eq!(after, before, "storage changes nothing");
        }
        self.request = after;
        self.permit = self.permit.take().map(|permit| move_permit(permit, step, now));
    }

    fn answers(&self, full: bool) -> octroi_domain::definition::Answers {
        let form = &self.definition.forms[0];
        if full {
            return self.definition.example(form, None, Moment::from_micros(0)).unwrap();
        }
        let one = BTreeMap::from([("title".to_owned(), json!("only a title"))]);
        self.definition.accept(form, None, &Default::default(), &one).unwrap()
    }
}

fn move_permit(permit: Permit, step: &Move, now: Moment) -> Permit {
    match (permit, step) {
        (Permit::Active(state), Move::Suspend) => Permit::Suspended(state.suspend(now, "why".into()).0),
        (Permit::Suspended(state), Move::Resume) => Permit::Active(state.resume().0),
        (permit, Move::Revoke) => permit
            .open()
            .map_or_else(|ended| *ended, |open| Permit::Ended(open.revoke(Id::from_uuid(Uuid::from_u128(9)), now, "why".into()).0)),
        (permit, Move::Expire) => permit.open().map_or_else(|ended| *ended, |open| Permit::Ended(open.expire(now).0)),
        (permit, Move::Supersede) => permit.open().map_or_else(|ended| *ended, |open| Permit::Ended(open.supersede(Number::new(8), now).0)),
        (permit, Move::Store) => {
            let (grant, record) = permit.to_parts();
            let record = serde_json::from_value(serde_json::to_value(record).unwrap()).unwrap();
            let read = Permit::from_parts(serde_json::from_value(serde_json::to_value(grant).unwrap()).unwrap(), record);
            assert_eq!(read, permit, "storage changes nothing");
            read
        }
        (permit, _) => permit,
    }
}

proptest! {
    #[test]
    fn no_sequence_of_moves_reaches_an_illegal_state(moves in moves()) {
        let definition = definition();
        let request = AccessRequest::Draft(Draft::new(header(&definition)));
        let mut world = World { definition, request, permit: None, granted: None };
        let mut path = vec![State::Draft];
        let mut ended = false;
        for (place, step) in moves.iter().enumerate() {
            let version = world.request.header().version;
            world.step(step, Moment::from_micros(place as i64));
            prop_assert!(world.request.header().version >= version, "a version never goes back");
            let state = world.request.state();
            let from = path[path.len() - 1];
            if state != from {
                let legal = match from {
                    State::Draft => matches!(state, State::Submitted | State::Archived),
                    State::Submitted => matches!(state, State::ChangesRequested | State::Approved | State::Refused),
                    State::ChangesRequested => matches!(state, State::Submitted | State::Archived),
                    State::Refused => state == State::Archived,
                    State::Approved | State::Archived => false,
                };
                prop_assert!(legal, "{from:?} to {state:?}");
                path.push(state);
            }
            prop_assert_eq!(world.permit.is_some(), state == State::Approved, "a permit and an approval go together");
            if let (Some(permit), Some(granted)) = (&world.permit, &world.granted) {
                prop_assert_eq!(permit.grant(), granted, "a permit's content never changes");
                prop_assert!(!ended || matches!(permit, Permit::Ended(_)), "an ended permit stays ended");
                ended = matches!(permit, Permit::Ended(_));
            }
        }
    }
}

#[test]
fn the_example_of_a_form_satisfies_its_schema() {
    let definition = definition();
    assert_eq!(definition.lint(Moment::from_micros(0)), Vec::<String>::new());
    let form = &definition.forms[0];
    let schema = jsonschema::validator_for(&definition.schema(form, None)).unwrap();
    let example = definition.example(form, None, Moment::from_micros(0)).unwrap();
    assert!(schema.is_valid(&serde_json::to_value(&example).unwrap()));
    for (field, value) in [("scopes", json!([])), ("retention_months", json!(60)), ("title", json!("")), ("extra", json!(1))] {
        let mut broken = serde_json::to_value(&example).unwrap();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{field}");
    }
}
