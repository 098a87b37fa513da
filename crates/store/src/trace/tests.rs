use std::{fs, path::Path, time::Instant};

use octroi_domain::{Id, Number};

use super::*;
use crate::testing::{at, each, on_sqlite};

const CANARY: &str = "CANARY-request-";

fn trace(n: i64) -> Trace {
    Trace {
        at: at(n * 60),
        stage: Stage::Production,
        request_id: format!("{CANARY}{n:06}"),
        api: Some("dinum/family".parse().unwrap()),
        operation: Some("GET /v3/things/{id}".into()),
        status: if n % 3 == 0 { 403 } else { 200 },
        refusal: (n % 3 == 0).then(|| "scope_missing".into()),
        duration_us: 1_234,
        upstream_us: 1_000,
        request_bytes: 100,
        response_bytes: u64::MAX,
        application: Some(Id::from_uuid(Uuid::from_u128(0xCA0A_2100_0000_0000_0000_0000_0000_0000 + n as u128))),
        organization: Some(Id::from_uuid(Uuid::from_u128(7))),
        permit: Some(Number::new(n)),
        subscription: Some(Id::from_uuid(Uuid::from_u128(9))),
        masked_fields: 3,
        address: Some("2001:db8::1".parse().unwrap()),
    }
}

fn all() -> TraceFilter {
    TraceFilter::within(TraceVisible::All)
}

#[test]
fn traces_are_read_back_newest_first() {
    each(async |store| {
        let traces: Vec<Trace> = (0..333).map(trace).collect();
        store.trace_insert(&traces).await.unwrap();
        store.trace_insert(&[]).await.unwrap();
        let page = store.read().trace_list(&all(), Page::first(2)).await.unwrap();
        let read: Vec<&str> = page.items.iter().map(|stored| stored.trace.request_id.as_str()).collect();
        assert_eq!(read, ["CANARY-request-000332", "CANARY-request-000331"]);
        // What does not fit a signed column is kept at its largest.
        let expected = Trace { response_bytes: i64::MAX as u64, ..trace(332) };
        assert_eq!(page.items.first().unwrap().trace, expected);
        let rest = store.read().trace_list(&all(), Page::new(page.next, 1_000)).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (331, None));
    });
}

#[test]
fn filters_and_statistics() {
    each(async |store| {
        let traces: Vec<Trace> = (0..120).map(trace).collect();
        store.trace_insert(&traces).await.unwrap();
        let check = async |filter: TraceFilter, expected: u64| {
            assert_eq!(store.read().trace_count(&filter).await.unwrap(), expected, "{filter:?}");
        };
        let seen = |organizations: &[u128], apis: &[&str], providers: &[&str]| {
            TraceFilter::within(TraceVisible::Any {
                organizations: organizations.iter().map(|n| Id::from_uuid(Uuid::from_u128(*n))).collect(),
                apis: apis.iter().map(|api| api.parse().unwrap()).collect(),
                providers: providers.iter().map(|slug| slug.parse().unwrap()).collect(),
            })
        };
        check(seen(&[], &[], &[]), 0).await;
        check(seen(&[8], &["dinum/other"], &["dgfip"]), 0).await;
        check(seen(&[7], &[], &[]), 120).await;
        check(seen(&[], &["dinum/family"], &[]), 120).await;
        check(seen(&[], &[], &["dinum"]), 120).await;
        check(TraceFilter { status_class: Some(4), ..all() }, 40).await;
        check(TraceFilter { status_class: Some(5), ..all() }, 0).await;
        check(TraceFilter { refusal: Some("scope_missing".into()), ..all() }, 40).await;
        check(TraceFilter { request_id: Some(format!("{CANARY}000003")), ..all() }, 1).await;
        check(TraceFilter { permit: Some(Number::new(5)), ..all() }, 1).await;
        check(TraceFilter { stage: Some(Stage::Sandbox), ..all() }, 0).await;
        check(TraceFilter { application: trace(4).application, ..all() }, 1).await;
        check(TraceFilter { organization: trace(4).organization, provider: Some("dinum".parse().unwrap()), ..all() }, 120).await;
        check(TraceFilter { from: Some(at(60)), to: Some(at(180)), ..all() }, 2).await;
        let counts = store.read().trace_statistics(&all()).await.unwrap();
        assert_eq!(counts.iter().map(|count| count.calls).sum::<u64>(), 120);
        assert!(counts.iter().all(|count| count.hour.micros() % 3_600_000_000 == 0), "{counts:?}");
        assert!(counts.is_sorted_by(|a, b| a.hour >= b.hour));
        assert_eq!(counts.iter().filter(|count| count.status == 403).map(|count| count.calls).sum::<u64>(), 40);
    });
}

#[test]
fn hours_count_what_the_traces_say_and_forget_who_called() {
    each(async |store| {
        // Two batches: the second adds to the hours of the first.
        let traces: Vec<Trace> = (0..240).map(|n| Trace { duration_us: (n as u64 + 1) * 1_000, ..trace(n) }).collect();
        for batch in traces.chunks(130) {
            store.trace_insert(batch).await.unwrap();
        }
        let reader = store.read();
        let total = async |filter: TraceFilter| {
            let hours = reader.calls_by_hour(&filter).await.unwrap();
            let calls: u64 = hours.iter().map(|hour| hour.durations.calls()).sum();
            let counted: u64 = reader.trace_statistics(&filter).await.unwrap().iter().map(|count| count.calls).sum();
            assert_eq!(calls, counted, "{filter:?}");
            calls
        };
        assert_eq!(total(all()).await, 240);
        assert_eq!(total(TraceFilter { status_class: Some(4), ..all() }).await, 80);
        assert_eq!(total(TraceFilter { refusal: Some("scope_missing".into()), ..all() }).await, 80);
        assert_eq!(total(TraceFilter { application: traces[3].application, ..all() }).await, 1);
        assert_eq!(total(TraceFilter { provider: Some("dinum".parse().unwrap()), ..all() }).await, 240);
        assert_eq!(total(TraceFilter { provider: Some("dinu".parse().unwrap()), ..all() }).await, 0);
        assert_eq!(total(TraceFilter { permit: Some(Number::new(5)), ..all() }).await, 0);
        let provider = |slug: &str| TraceVisible::Any { organizations: vec![], apis: vec![], providers: vec![slug.parse().unwrap()] };
        assert_eq!(total(TraceFilter::within(provider("dinum"))).await, 240);
        assert_eq!(total(TraceFilter::within(TraceVisible::Any { organizations: vec![], apis: vec![], providers: vec![] })).await, 0);
        let all_of = TraceVisible::Any { organizations: vec![Id::from_uuid(Uuid::from_u128(7))], apis: vec![], providers: vec![] };
        assert_eq!(total(TraceFilter::within(all_of)).await, 240);
        // Whole hours: the second one begins within the calls.
        let second = Moment::from_micros(hours::hour(at(0)) + 3_600_000_000);
        let later = traces.iter().filter(|trace| trace.at >= second).count() as u64;
        assert_eq!(total(TraceFilter { from: Some(second), ..all() }).await, later);
        assert_eq!(total(TraceFilter { to: Some(second), ..all() }).await, 240 - later);
        let mut durations = octroi_domain::traffic::Durations::default();
        reader.calls_by_hour(&all()).await.unwrap().iter().for_each(|hour| durations.merge(&hour.durations));
        assert!((100_000..=150_000).contains(&durations.percentile(50).unwrap()));
        let callers = reader.calls_by_application(&all(), 1_000).await.unwrap();
        assert_eq!((callers.len(), callers.iter().map(|caller| caller.errors).sum::<u64>()), (240, 80));
        store.trace_anonymise(&Anonymise::Before(second), at(9_999)).await.unwrap();
        let callers = reader.calls_by_application(&all(), 1_000).await.unwrap();
        let forgotten = callers.first().unwrap();
        assert_eq!((callers.len() as u64, forgotten.application, forgotten.calls), (later + 1, None, 240 - later));
        assert_eq!(total(all()).await, 240);
        store.trace_anonymise(&Anonymise::Matching(TraceFilter { permit: Some(Number::new(239)), ..all() }), at(9_999)).await.unwrap();
        assert_eq!(reader.calls_by_application(&all(), 1_000).await.unwrap().len(), 1);
        assert_eq!(total(all()).await, 240);
    });
}

#[test]
fn an_anonymised_trace_says_no_more_than_its_hour() {
    each(async |store| {
        let traces: Vec<Trace> = (0..100).map(trace).collect();
        store.trace_insert(&traces).await.unwrap();
        let before: Vec<Uuid> = list(&store).await.iter().map(|stored| stored.id).collect();
        assert_eq!(store.trace_anonymise(&Anonymise::Before(at(60 * 60)), at(9_999)).await.unwrap(), 60);
        assert_eq!(store.trace_anonymise(&Anonymise::Before(at(60 * 60)), at(9_999)).await.unwrap(), 0);
        let (gone, kept): (Vec<_>, Vec<_>) = list(&store).await.into_iter().partition(|stored| stored.anonymised_at.is_some());
        assert_eq!((gone.len(), kept.len()), (60, 40));
        for stored in gone {
            assert!(!before.contains(&stored.id));
            let hour = stored.trace.at.micros() / 3_600_000_000 * 3_600_000_000;
            let expected = Trace {
                at: Moment::from_micros(hour),
                request_id: String::new(),
                application: None,
                organization: None,
                permit: None,
                subscription: None,
                address: None,
                response_bytes: i64::MAX as u64,
                status: stored.trace.status,
                refusal: stored.trace.refusal.clone(),
                ..trace(1)
            };
            assert_eq!(stored.trace, expected);
        }
        let filter = TraceFilter { permit: Some(Number::new(80)), ..all() };
        assert_eq!(store.trace_anonymise(&Anonymise::Matching(filter), at(9_999)).await.unwrap(), 1);
    });
}

async fn list(store: &Store) -> Vec<StoredTrace> {
    store.read().trace_list(&all(), Page::first(1_000)).await.unwrap().items
}

/// How often the files of the database hold the request id of a call that `counts`.
fn canaries(folder: &Path, counts: impl Fn(i64) -> bool) -> usize {
    let number = |window: &[u8]| {
        let digits = window.strip_prefix(CANARY.as_bytes())?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    files.map(|bytes| bytes.windows(CANARY.len() + 6).filter_map(number).filter(|n| counts(*n)).count()).sum()
}

#[test]
fn nothing_of_it_stays_in_the_files() {
    on_sqlite(async |store, path| {
        let folder = path.parent().unwrap().to_path_buf();
        // In an order that splits the pages of the indexes in the middle, so that SQLite moves cells about.
        let traces: Vec<Trace> = (0..12_000).map(|n| trace((n * 7_919) % 12_000)).collect();
        for batch in traces.chunks(500) {
            store.trace_insert(batch).await.unwrap();
        }
        let refused = |n: i64| n % 3 == 0;
        assert!(canaries(&folder, refused) >= 4_000);
        // Some of them: the cells of the others stay, on the same pages.
        let filter = TraceFilter { status_class: Some(4), ..all() };
        assert_eq!(store.trace_anonymise(&Anonymise::Matching(filter), at(0)).await.unwrap(), 4_000);
        assert_eq!(canaries(&folder, refused), 0);
        assert!(canaries(&folder, |n| !refused(n)) >= 8_000);
        assert_eq!(store.trace_anonymise(&Anonymise::Matching(all()), at(0)).await.unwrap(), 8_000);
        assert_eq!(canaries(&folder, |_| true), 0);
        assert_eq!(store.read().trace_count(&all()).await.unwrap(), 12_000);
    });
}

#[test]
fn a_scrub_that_was_interrupted_is_finished() {
    each(async |store| {
        let tx = store.write().await.unwrap();
        crate::counter::set(&tx.db(), crate::counter::SCRUB, 1).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.trace_anonymise(&Anonymise::Before(at(0)), at(0)).await.unwrap(), 0);
        assert_eq!(crate::counter::get(&store.read().db(), crate::counter::SCRUB).await.unwrap(), 0);
    });
}

#[test]
#[ignore = "a measure, not a check"]
fn how_fast_are_a_thousand_traces() {
    each(async |store| {
        let traces: Vec<Trace> = (0..1_000).map(trace).collect();
        for _ in 0..5 {
            let start = Instant::now();
            store.trace_insert(&traces).await.unwrap();
            eprintln!("1000 traces: {:?}", start.elapsed());
        }
    });
}

#[test]
#[ignore = "a measure, not a check"]
fn how_fast_are_figures_of_a_million_traces() {
    each(async |store| {
        const HOURS: i64 = 240;
        let start = Instant::now();
        for hour in 0..HOURS {
            let traces: Vec<Trace> = (0..1_000_000 / HOURS)
                .map(|n| {
                    let known = trace(n % 40);
                    let api = if n % 5 == 0 { "dinum/other" } else { "dinum/family" };
                    let status = [200, 200, 200, 200, 404, 403][(n % 6) as usize];
                    let refusal = (status == 403).then(|| "scope_missing".to_owned());
                    let duration_us = 900 + (n as u64 * 7_919) % 90_000;
                    let at = at(hour * 3_600 + n % 3_600);
                    Trace {
                        at,
                        api: Some(api.parse().unwrap()),
                        status,
                        refusal,
                        duration_us,
                        organization: trace(0).organization,
                        ..known
                    }
                })
                .collect();
            for batch in traces.chunks(4_000) {
                store.trace_insert(batch).await.unwrap();
            }
        }
        eprintln!("a million traces written: {:?}", start.elapsed());
        let reader = store.read();
        let of_api = TraceFilter { api: Some("dinum/family".parse().unwrap()), ..all() };
        let visible = TraceVisible::Any { organizations: vec![], apis: vec![], providers: vec!["dinum".parse().unwrap()] };
        let seen = TraceFilter { visible, ..of_api.clone() };
        let day = TraceFilter { from: Some(at(HOURS * 3_600 - 86_400)), ..seen.clone() };
        let of_application = TraceFilter { api: None, application: trace(7).application, organization: trace(7).organization, ..all() };
        let failed = TraceFilter { outcome: Some(CallOutcome::UpstreamFailed), ..of_api.clone() };
        let error = TraceFilter { outcome: Some(CallOutcome::Error), ..of_application.clone() };
        for round in 0..3 {
            for (name, filter) in [("api, 10 d", &seen), ("api, 24 h", &day), ("application", &of_application), ("failures", &failed)] {
                let start = Instant::now();
                let rows = reader.calls_by_hour(filter).await.unwrap().len();
                let hours = start.elapsed();
                let start = Instant::now();
                reader.calls_by_application(filter, 20).await.unwrap();
                let consumers = start.elapsed();
                let start = Instant::now();
                reader.trace_statistics(filter).await.unwrap();
                eprintln!("{round} {name}: {rows} rows {hours:?}, consumers {consumers:?}, statistics {:?}", start.elapsed());
            }
            for (name, filter) in
                [("list of an application", &of_application), ("errors of an application", &error), ("list of an API", &seen)]
            {
                let start = Instant::now();
                let rows = reader.trace_list(filter, Page::first(25)).await.unwrap().items.len();
                eprintln!("{round} {name}: {rows} rows {:?}", start.elapsed());
            }
        }
    });
}
