use octroi_domain::Moment;
use sea_orm::ConnectionTrait;

use super::*;
use crate::testing::{Town, at, each, tell};

async fn verdict(store: &Store) -> Verdict {
    let mut told = Vec::new();
    let verdict = store.verify_ledger(|entries| told.push(entries)).await.unwrap();
    if let Verdict::Sound(verified) = &verdict {
        assert_eq!(told.last().copied().unwrap_or(0), verified.entries);
    }
    verdict
}

/// Two permits, the first suspended and then revoked; then something without a permit.
async fn written(store: &Store) -> Town {
    assert_eq!(verdict(store).await, Verdict::Sound(Verified { entries: 0, head: GENESIS }));
    let town = Town::found(store).await;
    let permit = town.permit(store, Some(at(1_000))).await;
    town.permit(store, None).await;
    let mut tx = store.write().await.unwrap();
    let Permit::Active(active) = permit else { unreachable!() };
    let (suspended, event) = active.suspend(at(50), "doubt".into());
    tx.permit_save(&Permit::Suspended(suspended.clone()), PermitStatus::Active).await.unwrap();
    tell(&mut tx, &event);
    let (ended, event) = Permit::Suspended(suspended).open().unwrap().revoke(town.reviewer.id, at(60), "certain".into());
    tx.permit_save(&Permit::Ended(ended), PermitStatus::Suspended).await.unwrap();
    tell(&mut tx, &event);
    tx.record(at(70), "system", "catalogue.applied", "dinum", json!({"z": [1, null], "a": "é\"\u{0}"}));
    tx.commit().await.unwrap();
    town
}

#[test]
fn a_ledger_that_was_left_alone_is_sound() {
    each(async |store| {
        written(&store).await;
        let Verdict::Sound(verified) = verdict(&store).await else { panic!("{:?}", verdict(&store).await) };
        assert_eq!(verified.entries, 9);
        assert_eq!(store.read().ledger_head().await.unwrap(), (9, verified.head));
        let page = async |filter: LedgerFilter, order, after, limit| {
            let entries = store.read().ledger_page(&filter, order, after, limit).await.unwrap();
            entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        let all = LedgerFilter::default;
        assert_eq!(page(all(), Order::Ascending, None, 2).await, [1, 2]);
        assert_eq!(page(all(), Order::Ascending, Some(6), 9).await, [7, 8, 9]);
        assert_eq!(page(all(), Order::Descending, None, 2).await, [9, 8]);
        assert_eq!(page(all(), Order::Descending, Some(8), 2).await, [7, 6]);
        assert_eq!(page(LedgerFilter { subject: Some("H1".into()), ..all() }, Order::Ascending, None, 9).await, [3, 7, 8]);
        assert_eq!(page(LedgerFilter { subjects: vec!["H2".into(), "dinum".into()], ..all() }, Order::Ascending, None, 9).await, [6, 9]);
        assert_eq!(page(LedgerFilter { action: Some("permit.granted".into()), ..all() }, Order::Ascending, None, 9).await, [3, 6]);
        assert_eq!(page(LedgerFilter { actor: Some("system".into()), ..all() }, Order::Ascending, None, 9).await, [9]);
    });
}

#[test]
fn the_ledger_can_only_grow() {
    each(async |store| {
        written(&store).await;
        for statement in [
            "UPDATE ledger SET actor = 'x'",
            "DELETE FROM ledger",
            "DELETE FROM ledger WHERE seq = 9",
            "UPDATE definition_version SET version = 2",
        ] {
            let tx = store.write().await.unwrap();
            assert!(tx.db().execute_unprepared(statement).await.is_err(), "{statement}");
        }
    });
}

/// What somebody with the rights of the database's owner could do.
#[test]
fn every_change_is_found_and_named() {
    let changes: &[(&str, i64, Option<Fault>)] = &[
        ("UPDATE ledger SET actor = 'user:y' WHERE seq = 6", 6, Some(Fault::Changed)),
        ("UPDATE ledger SET at = at + 1 WHERE seq = 7", 7, Some(Fault::Changed)),
        ("UPDATE ledger SET action = 'permit.grantes' WHERE seq = 3", 3, Some(Fault::Changed)),
        ("UPDATE ledger SET subject = 'H3' WHERE seq = 8", 8, Some(Fault::Changed)),
        ("UPDATE ledger SET details = replace(details, 'doubt', 'doubs') WHERE seq = 7", 7, Some(Fault::Changed)),
        ("UPDATE ledger SET details = replace(details, ':', ': ') WHERE seq = 7", 7, Some(Fault::Changed)),
        ("UPDATE ledger SET details = 'x' WHERE seq = 7", 7, Some(Fault::Changed)),
        ("UPDATE ledger SET hash = {zeros} WHERE seq = 6", 6, Some(Fault::Changed)),
        ("UPDATE ledger SET previous = {zeros} WHERE seq = 6", 6, Some(Fault::Changed)),
        ("DELETE FROM ledger WHERE seq = 6", 6, Some(Fault::Missing)),
        ("DELETE FROM ledger WHERE seq = 3", 3, Some(Fault::Missing)),
        ("DELETE FROM ledger WHERE seq = 9", 8, Some(Fault::Head { seq: 9 })),
        ("UPDATE ledger_head SET seq = 10", 9, Some(Fault::Head { seq: 10 })),
        ("UPDATE ledger_head SET hash = {zeros}", 9, Some(Fault::Head { seq: 9 })),
        ("DELETE FROM ledger_head", 9, Some(Fault::Head { seq: 0 })),
        ("UPDATE permit SET status = 'active' WHERE id = 1", 3, Some(Fault::PermitDiffers(Number::new(1)))),
        (
            "UPDATE permit SET status = 'active', record = '{\"state\":\"active\"}' WHERE id = 1",
            3,
            Some(Fault::PermitState(Number::new(1))),
        ),
        ("UPDATE permit SET frozen = replace(frozen, 'Cantine', 'Kantine') WHERE id = 2", 6, Some(Fault::PermitDiffers(Number::new(2)))),
        (
            "UPDATE permit SET scopes = replace(scopes, 'family', 'faraway'), frozen = replace(frozen, 'family', 'faraway') WHERE id = 2",
            6,
            Some(Fault::PermitDiffers(Number::new(2))),
        ),
        ("DELETE FROM permit WHERE id = 2", 6, Some(Fault::PermitMissing(Number::new(2)))),
        ("UPDATE permit SET id = 7 WHERE id = 2", 0, Some(Fault::PermitUntold(Number::new(7)))),
        ("UPDATE access_request SET permit_id = 2 WHERE id = 1", 0, Some(Fault::RequestWithoutPermit(Number::new(1)))),
        ("UPDATE access_request SET state = 'draft' WHERE id = 2", 0, Some(Fault::RequestWithoutPermit(Number::new(2)))),
        ("UPDATE permit SET title = title", 0, None),
    ];
    each(async |store| {
        written(&store).await;
        let (open, zeros) = if store.is_sqlite() {
            ("DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete", "zeroblob(32)")
        } else {
            ("DROP TRIGGER ledger_append_only ON ledger", "decode(repeat('00', 32), 'hex')")
        };
        for (change, seq, what) in changes {
            // Each change is looked at from inside its transaction, which is then forgotten.
            let tx = store.write().await.unwrap();
            tx.db().execute_unprepared(open).await.unwrap();
            tx.db().execute_unprepared(&change.replace("{zeros}", zeros)).await.unwrap();
            let found = verify(&tx, |_| ()).await.unwrap();
            match what {
                Some(what) => assert_eq!(found, Verdict::Broken(LedgerFault { seq: *seq, what: what.clone() }), "{change}"),
                None => assert!(matches!(found, Verdict::Sound(_)), "{change}: {found:?}"),
            }
        }
    });
}

#[test]
fn an_entry_that_contradicts_the_permits_is_found() {
    each(async |store| {
        written(&store).await;
        let event = Event::PermitRevoked { permit: Number::new(2), reason: "said, not done".into() };
        let mut tx = store.write().await.unwrap();
        tell(&mut tx, &event);
        tx.commit().await.unwrap();
        let broken = Verdict::Broken(LedgerFault { seq: 6, what: Fault::PermitState(Number::new(2)) });
        assert_eq!(verdict(&store).await, broken);
        let mut tx = store.write().await.unwrap();
        tx.record(Moment::default(), "system", "permit.granted", "H9", json!({}));
        tx.commit().await.unwrap();
        assert_eq!(verdict(&store).await, Verdict::Broken(LedgerFault { seq: 11, what: Fault::Facts }));
    });
}
