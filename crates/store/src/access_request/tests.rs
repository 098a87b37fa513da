use super::*;
use crate::testing::{Town, at, each, scopes};

fn submitted() -> StateRecord {
    StateRecord::Submitted { at: at(11), scopes: scopes("a b"), modality: Some("m".into()) }
}

#[test]
fn what_is_written_is_read_back_in_every_state() {
    each(async |store| {
        let town = Town::found(&store).await;
        let records = [
            StateRecord::Draft,
            submitted(),
            StateRecord::ChangesRequested { message: "?".into() },
            StateRecord::Refused { message: "no".into() },
            StateRecord::Archived,
            StateRecord::Approved { permit: Number::new(9) },
        ];
        for (place, record) in records.into_iter().enumerate() {
            let request = town.request(&store, 10, record).await;
            assert_eq!(request.header().id.get(), i64::try_from(place).unwrap() + 1);
            assert_eq!(store.read().access_request_by_number(request.header().id).await.unwrap(), Some(request));
        }
        let everything = RequestFilter::within(Visible::All);
        let counts = store.read().access_request_counts(&everything).await.unwrap();
        assert_eq!(counts, State::ALL.map(|state| (state, 1)).to_vec());
        assert_eq!(store.read().access_request_without_permit().await.unwrap(), Some(Number::new(6)));
    });
}

#[test]
fn a_number_that_is_rolled_back_is_given_again() {
    each(async |store| {
        for _ in 0..2 {
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.access_request_next().await.unwrap().get(), 1);
            assert_eq!(tx.access_request_next().await.unwrap().get(), 2);
            drop(tx);
        }
    });
}

#[test]
fn a_stale_writer_is_told() {
    each(async |store| {
        let town = Town::found(&store).await;
        let request = town.request(&store, 10, StateRecord::Draft).await;
        let id = request.header().id;
        let AccessRequest::Draft(draft) = request else { unreachable!() };
        let edited = AccessRequest::Draft(draft.edit(octroi_domain::definition::Answers::default(), at(50)));
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.access_request_lock(id).await.unwrap().unwrap().header().version, 1);
        tx.access_request_save(&edited, 1, "New").await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        assert!(tx.access_request_save(&edited, 1, "New").await.unwrap_err().is_stale());
        drop(tx);
        assert_eq!(store.read().access_request_by_number(id).await.unwrap(), Some(edited));
    });
}

#[test]
fn what_it_points_at_must_be_there() {
    each(async |store| {
        let town = Town::found(&store).await;
        for change in [
            |header: &mut Header| header.definition_version = 7,
            |header: &mut Header| header.definition = "unknown".parse().unwrap(),
            |header: &mut Header| header.applicant = Id::from_uuid(Uuid::now_v7()),
            |header: &mut Header| header.organization = Id::from_uuid(Uuid::now_v7()),
        ] {
            let mut tx = store.write().await.unwrap();
            let mut header = town.header(tx.access_request_next().await.unwrap());
            change(&mut header);
            let outcome = tx.access_request_insert(&AccessRequest::from_parts(header, StateRecord::Draft), "").await;
            assert!(matches!(outcome, Err(StoreError::Conflict { why: crate::Why::Reference, .. })), "{outcome:?}");
        }
    });
}

#[test]
fn lists_show_what_the_asker_may_see_and_asked_for() {
    each(async |store| {
        let town = Town::found(&store).await;
        for second in [10, 30, 20] {
            town.request(&store, second, StateRecord::Draft).await;
        }
        town.request(&store, 20, submitted()).await;
        let reader = store.read();
        let nothing = || Visible::Any { definitions: vec![], providers: vec![], organizations: vec![], applicant: None };
        let any = |change: fn(&mut Visible, &Town)| {
            let mut visible = nothing();
            change(&mut visible, &town);
            RequestFilter::within(visible)
        };
        let check = async |filter: RequestFilter, expected: &[i64]| {
            let found = reader.access_request_list(&filter, Page::first(10)).await.unwrap();
            let ids: Vec<i64> = found.items.iter().map(|line| line.id.get()).collect();
            assert_eq!(ids, expected, "{filter:?}");
            let counted: u64 = reader.access_request_counts(&filter).await.unwrap().into_iter().map(|(_, rows)| rows).sum();
            assert_eq!(usize::try_from(counted).unwrap(), expected.len());
        };
        let all = &[2, 4, 3, 1];
        check(RequestFilter::within(nothing()), &[]).await;
        check(RequestFilter::within(Visible::All), all).await;
        let see = |visible: &mut Visible, of: &Town, what: usize| {
            if let Visible::Any { definitions, providers, organizations, applicant } = visible {
                match what {
                    0 => definitions.push(of.definition.clone()),
                    1 => providers.push("dinum".parse().unwrap()),
                    2 => organizations.push(of.hall.id),
                    3 => *applicant = Some(of.applicant.id),
                    4 => definitions.push("other".parse().unwrap()),
                    5 => organizations.push(of.other.id),
                    _ => *applicant = Some(of.reviewer.id),
                }
            }
        };
        for what in 0..7 {
            let mut visible = nothing();
            see(&mut visible, &town, what);
            check(RequestFilter::within(visible), if what < 4 { all } else { &[] }).await;
        }
        let within = || {
            any(|visible, town| {
                if let Visible::Any { organizations, .. } = visible {
                    organizations.push(town.hall.id)
                }
            })
        };
        check(RequestFilter { states: vec![State::Submitted], ..within() }, &[4]).await;
        check(RequestFilter { definitions: vec!["other".parse().unwrap()], ..within() }, &[]).await;
        check(RequestFilter { organizations: vec![town.other.id], ..within() }, &[]).await;
        check(RequestFilter { applicant: Some(town.reviewer.id), ..within() }, &[]).await;
        check(RequestFilter { kinds: vec![KindName::Amendment], ..within() }, &[]).await;
        check(RequestFilter { kinds: vec![KindName::Initial], providers: vec!["dinum".parse().unwrap()], ..within() }, all).await;
        for (text, found) in [
            ("cantine PARIS", true),
            ("lovelace 21750001600019", true),
            ("100 %", true),
            ("100_%", false),
            ("%", true),
            ("_", false),
            ("\\", false),
            ("lyon", false),
            ("  ", true),
        ] {
            check(RequestFilter { text: Some(text.into()), ..within() }, if found { all } else { &[] }).await;
        }
        check(RequestFilter { text: Some("d3".into()), ..within() }, &[3]).await;
        check(RequestFilter { text: Some("D3".into()), ..RequestFilter::within(nothing()) }, &[]).await;
    });
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    each(async |store| {
        let town = Town::found(&store).await;
        for _ in 0..5 {
            town.request(&store, 10, StateRecord::Draft).await;
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.read().access_request_list(&RequestFilter::within(Visible::All), Page::new(after, 2)).await.unwrap();
            seen.extend(page.items.iter().map(|line| line.id.get()));
            after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
        let line = store.read().access_request_list(&RequestFilter::within(Visible::All), Page::first(1)).await.unwrap().items.remove(0);
        assert_eq!(
            (line.applicant_name.as_str(), line.organization_name.as_str(), line.title.as_str()),
            ("Ada Lovelace", "Ville de Paris", "Cantine 100 %")
        );
    });
}

#[test]
fn one_active_request_and_one_open_amendment() {
    each(async |store| {
        let town = Town::found(&store).await;
        let active = async || store.read().access_request_active(&town.definition, town.hall.id).await.unwrap().map(Number::get);
        town.request(&store, 10, StateRecord::Refused { message: "no".into() }).await;
        assert_eq!(active().await, None);
        let permit = town.permit(&store, None).await;
        assert_eq!(active().await, Some(2));
        assert_eq!(store.read().access_request_active(&town.definition, town.other.id).await.unwrap(), None);

        let of = permit.grant().id;
        assert_eq!(store.read().access_request_open_of(of).await.unwrap(), None);
        let mut tx = store.write().await.unwrap();
        let id = tx.access_request_next().await.unwrap();
        let amendment = AccessRequest::from_parts(Header { kind: Kind::Amendment { of }, ..town.header(id) }, StateRecord::Draft);
        tx.access_request_insert(&amendment, "").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.read().access_request_open_of(of).await.unwrap(), Some(id));
        let filter = RequestFilter { permit: Some(of), ..RequestFilter::within(Visible::All) };
        assert_eq!(store.read().access_request_list(&filter, Page::first(5)).await.unwrap().items.len(), 1);

        let (ended, event) = permit.open().unwrap().revoke(town.reviewer.id, at(60), "end".into());
        let mut tx = store.write().await.unwrap();
        tx.permit_save(&Permit::Ended(ended), PermitStatus::Active).await.unwrap();
        crate::testing::tell(&mut tx, &event);
        tx.commit().await.unwrap();
        assert_eq!(active().await, None);
    });
}

#[test]
fn a_row_that_was_changed_by_hand_is_refused() {
    use sea_orm::ConnectionTrait;
    each(async |store| {
        let town = Town::found(&store).await;
        let id = town.request(&store, 10, StateRecord::Draft).await.header().id;
        for (change, column) in [
            ("state = 'approved'", "state"),
            ("answers = '{\"title\":\"x\"}'", "content"),
            ("record = '{}'", "record"),
            ("kind = 'amendment'", "kind"),
            ("version = -1", "version"),
        ] {
            let mut tx = store.write().await.unwrap();
            tx.db().execute_unprepared(&format!("UPDATE access_request SET {change}")).await.unwrap();
            let outcome = tx.access_request_lock(id).await;
            assert!(matches!(&outcome, Err(StoreError::Corrupt { column: named, .. }) if *named == column), "{outcome:?}");
        }
    });
}

#[test]
fn one_writer_at_a_time_and_no_lost_update() {
    each(async |store| {
        let town = Town::found(&store).await;
        let id = town.request(&store, 10, StateRecord::Draft).await.header().id;
        let tasks: Vec<_> = (0..8_i64)
            .map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for round in 0..10 {
                        let mut tx = store.write().await.unwrap();
                        let Some(AccessRequest::Draft(draft)) = tx.access_request_lock(id).await.unwrap() else { unreachable!() };
                        let request = AccessRequest::Draft(draft);
                        let (version, answers) = (request.header().version, request.header().answers.clone());
                        let AccessRequest::Draft(draft) = request else { unreachable!() };
                        let edited = AccessRequest::Draft(draft.edit(answers, at(task * 10 + round)));
                        tx.access_request_save(&edited, version, "x").await.unwrap();
                        tx.record(at(1), "system", "access_request.edited", "D1", serde_json::json!({"n": round}));
                        tx.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(store.read().access_request_by_number(id).await.unwrap().unwrap().header().version, 81);
        assert_eq!(store.read().ledger_head().await.unwrap().0, 80);
    });
}
