use octroi_domain::{event::Event, stage::Stage};
use uuid::Uuid;

use super::*;
use crate::{
    Page, Visible,
    testing::{Town, at, each, scopes, tell},
};

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
        let counts = store.access_request_counts(&everything).await.unwrap();
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
        tell(&mut tx, &Event::RequestEdited { request: id, version: 2 });
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
        let nothing = || Visible::Any { definitions: vec![], providers: vec![], organizations: vec![], applicant: None };
        let any = |change: fn(&mut Visible, &Town)| {
            let mut visible = nothing();
            change(&mut visible, &town);
            RequestFilter::within(visible)
        };
        let check = async |filter: RequestFilter, expected: &[i64]| {
            let found = store.access_request_list(&filter, Page::first(10)).await.unwrap();
            let ids: Vec<i64> = found.items.iter().map(|line| line.id.get()).collect();
            assert_eq!(ids, expected, "{filter:?}");
            let counts = store.access_request_counts(&filter).await.unwrap();
            let asked = |state: &State| filter.states.is_empty() || filter.states.contains(state);
            let counted: u64 = counts.into_iter().filter(|(state, _)| asked(state)).map(|(_, rows)| rows).sum();
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
            ("CÄNTI pàr", true),
            ("lovelace 21750001600019", true),
            ("217 500 016 00019", true),
            ("217500016 ada", true),
            ("ada@ville.example", true),
            ("100 %", true),
            ("antine", false),
            ("%", false),
            ("_", false),
            ("lyon cantine", false),
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
            let page = store.access_request_list(&RequestFilter::within(Visible::All), Page::new(after, 2)).await.unwrap();
            seen.extend(page.items.iter().map(|line| line.id.get()));
            after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
        let line = store.access_request_list(&RequestFilter::within(Visible::All), Page::first(1)).await.unwrap().items.remove(0);
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
        tell(&mut tx, &Event::RequestCreated { request: id });
        tx.commit().await.unwrap();
        assert_eq!(store.read().access_request_open_of(of).await.unwrap(), Some(id));
        let filter = RequestFilter { permit: Some(of), ..RequestFilter::within(Visible::All) };
        assert_eq!(store.access_request_list(&filter, Page::first(5)).await.unwrap().items.len(), 1);
        // The number of a permit finds what led to it and what amends it; that of a request, itself alone.
        for (text, found) in [("H1", vec![3, 2]), ("h1", vec![3, 2]), ("H2", vec![]), ("d2", vec![2]), ("D9", vec![])] {
            let filter = RequestFilter { text: Some(text.into()), sort: RequestSort::Created, ..RequestFilter::within(Visible::All) };
            let listed = store.access_request_list(&filter, Page::first(5)).await.unwrap();
            assert_eq!(listed.items.iter().map(|line| line.id.get()).collect::<Vec<_>>(), found, "{text}");
        }

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
        assert_eq!(store.read().ledger_head().await.unwrap().0, 81);
    });
}

/// Moves a request on, with its entry.
async fn save(store: &crate::Store, request: AccessRequest, event: Event) -> AccessRequest {
    let mut tx = store.write().await.unwrap();
    tx.access_request_save(&request, request.header().version - 1, "Cantine").await.unwrap();
    tell(&mut tx, &event);
    tx.commit().await.unwrap();
    request
}

#[test]
fn a_queue_keeps_the_place_of_what_comes_back() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut requests = Vec::new();
        for second in [30, 10, 20] {
            let record = StateRecord::Submitted { at: at(second), scopes: scopes("a"), modality: None };
            requests.push(town.request(&store, second, record).await);
        }
        town.request(&store, 5, StateRecord::Draft).await;
        let queue = |states: &[State]| RequestFilter {
            states: states.to_vec(),
            sort: RequestSort::Submitted,
            ..RequestFilter::within(Visible::All)
        };
        let listed = async |filter: &RequestFilter| {
            let listed = store.access_request_list(filter, Page::first(9)).await.unwrap();
            listed.items.into_iter().map(|line| (line.id.get(), line.submitted_at)).collect::<Vec<_>>()
        };
        let expected = [(2, Some(at(10))), (3, Some(at(20))), (1, Some(at(30))), (4, None)];
        assert_eq!(listed(&queue(&[])).await, expected);
        // Given back, and submitted again: the first time counts.
        let id = Number::new(2);
        let AccessRequest::Submitted(submitted) = requests.remove(1) else { unreachable!() };
        let (back, event) = submitted.request_changes("?".into(), at(40));
        let back = save(&store, AccessRequest::ChangesRequested(back), event).await;
        let again = AccessRequest::from_parts(
            Header { version: back.header().version + 1, updated_at: at(50), ..back.header().clone() },
            StateRecord::Submitted { at: at(50), scopes: scopes("a"), modality: None },
        );
        let event = Event::RequestSubmitted { request: id, version: 3, content: again.header().content() };
        let AccessRequest::Submitted(again) = save(&store, again, event).await else { unreachable!() };
        assert_eq!(listed(&queue(&[])).await, expected);
        assert_eq!(listed(&RequestFilter { sort: RequestSort::Changed, ..queue(&[]) }).await.first().unwrap().0, 2);
        // What is next, before and after the decision; nothing follows the last, and a stranger sees nothing.
        let next =
            async |filter: RequestFilter, of: i64| store.access_request_after(&filter, Number::new(of)).await.unwrap().map(Number::get);
        assert_eq!(next(queue(&[State::Submitted]), 2).await, Some(3));
        let (refused, event) = again.refuse("no".into(), at(60));
        save(&store, AccessRequest::Refused(refused), event).await;
        assert_eq!(listed(&queue(&[State::Submitted])).await, expected[1..3]);
        for (of, found) in [(2, Some(3)), (3, Some(1)), (1, None), (4, None), (99, None)] {
            assert_eq!(next(queue(&[State::Submitted]), of).await, found, "{of}");
        }
        assert_eq!(next(RequestFilter { sort: RequestSort::Submitted, ..RequestFilter::new() }, 2).await, None);
        // Pages of one, in each order.
        for sort in RequestSort::ALL {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = store.access_request_list(&RequestFilter { sort, ..queue(&[]) }, Page::new(after, 1)).await.unwrap();
                seen.extend(page.items.iter().map(|line| line.id.get()));
                after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
                if after.is_none() {
                    break;
                }
            }
            let expected = match sort {
                RequestSort::Submitted => [2, 3, 1, 4],
                RequestSort::Changed => [2, 1, 3, 4],
                RequestSort::Created => [4, 3, 2, 1],
            };
            assert_eq!(seen, expected, "{sort:?}");
        }
    });
}

#[test]
fn counts_leave_out_the_states_that_are_asked_for() {
    each(async |store| {
        let town = Town::found(&store).await;
        for record in [StateRecord::Draft, StateRecord::Draft, submitted(), StateRecord::Archived] {
            town.request(&store, 10, record).await;
        }
        let counts = async |filter: RequestFilter| {
            let counts = store.access_request_counts(&filter).await.unwrap();
            counts.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
        };
        let expected = [(State::Draft, 2), (State::Submitted, 1), (State::Archived, 1)];
        let all = || RequestFilter::within(Visible::All);
        assert_eq!(counts(RequestFilter { states: vec![State::Refused], ..all() }).await, expected);
        assert_eq!(counts(RequestFilter { text: Some("cantine".into()), ..all() }).await, expected);
        assert_eq!(counts(RequestFilter { text: Some("D3".into()), ..all() }).await, [(State::Submitted, 1)]);
        assert_eq!(counts(RequestFilter { stages: vec![Stage::Sandbox], ..all() }).await, []);
        assert_eq!(counts(RequestFilter::new()).await, []);
    });
}

/// Another process writes, and nobody tells this one.
#[test]
fn what_others_write_is_found_at_once() {
    crate::testing::on_sqlite(async |store, path| {
        let town = Town::found(&store).await;
        let beside = crate::Store::open_shared(&format!("sqlite://{}", path.display())).await.unwrap();
        let found = async |store: &crate::Store, text: &str| {
            let filter = RequestFilter { text: Some(text.into()), ..RequestFilter::within(Visible::All) };
            store.access_request_list(&filter, Page::first(9)).await.unwrap().items.len()
        };
        assert_eq!(found(&beside, "lovelace").await, 0);
        for count in 1..4 {
            town.request(&store, count, StateRecord::Draft).await;
            assert_eq!(found(&beside, "lovelace").await, usize::try_from(count).unwrap());
        }
        // A stranger's first request; and a name that changed.
        let grace = crate::testing::user("grace@ville.example", "Grace", "Hopper");
        let mut tx = store.write().await.unwrap();
        tx.user_insert(&grace, None).await.unwrap();
        let id = tx.access_request_next().await.unwrap();
        let request = AccessRequest::from_parts(Header { applicant: grace.id, ..town.header(id) }, StateRecord::Draft);
        tx.access_request_insert(&request, "Autre").await.unwrap();
        tell(&mut tx, &Event::RequestCreated { request: id });
        tx.commit().await.unwrap();
        assert_eq!((found(&beside, "hopper").await, found(&beside, "autre").await, found(&beside, "murray").await), (1, 1, 0));
        let mut tx = store.write().await.unwrap();
        sea_orm::ConnectionTrait::execute_unprepared(&tx.db(), "UPDATE \"user\" SET family_name = 'Murray' WHERE family_name = 'Hopper'")
            .await
            .unwrap();
        tx.record(at(70), "system", "user.renamed", &format!("user:{}", grace.id), serde_json::json!({}));
        tx.commit().await.unwrap();
        assert_eq!((found(&beside, "hopper").await, found(&beside, "murray").await), (0, 1));
        beside.close().await.unwrap();
    });
}

#[test]
fn nothing_is_written_without_its_entry() {
    each(async |store| {
        let town = Town::found(&store).await;
        let mut tx = store.write().await.unwrap();
        let id = tx.access_request_next().await.unwrap();
        tx.access_request_insert(&AccessRequest::from_parts(town.header(id), StateRecord::Draft), "x").await.unwrap();
        tx.record(at(1), "system", "access_request.created", "D2", serde_json::json!({}));
        assert!(matches!(tx.commit().await, Err(StoreError::Other { .. })));
        assert_eq!(store.read().access_request_by_number(id).await.unwrap(), None);
    });
}
