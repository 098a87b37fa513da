use super::*;
use crate::{
    Visible,
    testing::{Town, at, each, scopes, tell},
};

#[test]
fn a_permit_is_read_back_and_moves() {
    each(async |store| {
        let town = Town::found(&store).await;
        let permit = town.permit(&store, Some(at(500))).await;
        let id = permit.grant().id;
        let reader = store.read();
        assert_eq!(reader.permit_by_number(id).await.unwrap(), Some(permit.clone()));
        assert_eq!(reader.permit_of_request(permit.grant().request).await.unwrap(), Some(permit.clone()));
        assert_eq!(reader.permit_by_number(Number::new(9)).await.unwrap(), None);
        let mut tx = store.write().await.unwrap();
        assert!(tx.permit_insert(&permit, "again").await.unwrap_err().is_duplicate());
        drop(tx);
        let Permit::Active(active) = permit else { unreachable!() };
        let (suspended, event) = active.suspend(at(40), "doubt".into());
        let suspended = Permit::Suspended(suspended);
        let mut tx = store.write().await.unwrap();
        assert_eq!(tx.permit_lock(id).await.unwrap().unwrap().status(), PermitStatus::Active);
        tx.permit_save(&suspended, PermitStatus::Active).await.unwrap();
        tell(&mut tx, &event);
        tx.commit().await.unwrap();
        assert_eq!(reader.permit_by_number(id).await.unwrap(), Some(suspended.clone()));
        let mut tx = store.write().await.unwrap();
        assert!(tx.permit_save(&suspended, PermitStatus::Active).await.unwrap_err().is_stale());
    });
}

#[test]
fn lists_and_dates() {
    each(async |store| {
        let town = Town::found(&store).await;
        for expires in [Some(at(500)), None, Some(at(400))] {
            town.permit(&store, expires).await;
        }
        let reader = store.read();
        let list = async |filter: PermitFilter| {
            let listing = store.permit_list(&filter, Page::first(9)).await.unwrap();
            listing.items.iter().map(|line| line.id.get()).collect::<Vec<_>>()
        };
        let all = || PermitFilter::within(Visible::All);
        assert_eq!(list(all()).await, [3, 2, 1]);
        let nothing = Visible::Any { definitions: vec![], providers: vec![], organizations: vec![], applicant: None };
        assert_eq!(list(PermitFilter::within(nothing)).await, [0_i64; 0]);
        let hall = Visible::Any { definitions: vec![], providers: vec![], organizations: vec![town.hall.id], applicant: None };
        assert_eq!(list(PermitFilter::within(hall)).await, [3, 2, 1]);
        assert_eq!(list(PermitFilter { statuses: vec![PermitStatus::Revoked], ..all() }).await, [0_i64; 0]);
        assert_eq!(list(PermitFilter { text: Some("h2".into()), ..all() }).await, [2]);
        assert_eq!(list(PermitFilter { text: Some("cantine dinum".into()), ..all() }).await, [0_i64; 0]);
        assert_eq!(
            list(PermitFilter { definitions: vec![town.definition.clone()], providers: vec!["dinum".parse().unwrap()], ..all() }).await,
            [3, 2, 1]
        );
        let first = store.permit_list(&all(), Page::first(1)).await.unwrap();
        let line = first.items.first().unwrap();
        assert_eq!((line.scopes.clone(), line.organization_name.as_str()), (scopes("family_quotient"), "Ville de Paris"));
        assert_eq!(store.permit_list(&all(), Page::new(first.next, 5)).await.unwrap().items.len(), 2);
        let due = async |moment, limit| {
            let permits = reader.permits_due(moment, limit).await.unwrap();
            permits.iter().map(|permit| permit.grant().id.get()).collect::<Vec<_>>()
        };
        assert_eq!(due(at(399), 9).await, [0_i64; 0]);
        assert_eq!(due(at(400), 9).await, [3]);
        assert_eq!(due(at(900), 9).await, [3, 1]);
        assert_eq!(due(at(900), 1).await, [3]);
    });
}

#[test]
fn orders_counts_and_what_the_register_looks_through() {
    each(async |store| {
        let town = Town::found(&store).await;
        for expires in [None, Some(at(500)), Some(at(400))] {
            town.permit(&store, expires).await;
        }
        let all = || PermitFilter::within(Visible::All);
        let list = async |filter: PermitFilter| {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = store.permit_list(&filter, Page::new(after, 2)).await.unwrap();
                seen.extend(page.items.iter().map(|line| line.id.get()));
                after = page.next.map(|cursor| cursor.to_string().parse().unwrap());
                if after.is_none() {
                    return seen;
                }
            }
        };
        assert_eq!(list(PermitFilter { sort: PermitSort::Expires, ..all() }).await, [3, 2, 1]);
        assert_eq!(list(PermitFilter { sort: PermitSort::Granted, ..all() }).await, [3, 2, 1]);
        for (text, people, found) in [
            ("D2", true, vec![2]),
            ("h3", false, vec![3]),
            ("cantine paris", false, vec![3, 2, 1]),
            ("lovelace cantine", true, vec![3, 2, 1]),
            ("lovelace cantine", false, vec![]),
            ("ada@ville.example", false, vec![]),
        ] {
            assert_eq!(list(PermitFilter { text: Some(text.into()), people, ..all() }).await, found, "{text}");
        }
        let permit = store.read().permit_by_number(Number::new(2)).await.unwrap().unwrap();
        assert_eq!(store.read().grants(&[Number::new(2), Number::new(9)]).await.unwrap(), [permit.grant().clone()]);
        let (ended, event) = permit.open().unwrap().revoke(town.reviewer.id, at(60), "end".into());
        let mut tx = store.write().await.unwrap();
        tx.permit_save(&Permit::Ended(ended), PermitStatus::Active).await.unwrap();
        tell(&mut tx, &event);
        tx.commit().await.unwrap();
        let counts = store.permit_counts(&PermitFilter { statuses: vec![PermitStatus::Active], ..all() }).await.unwrap();
        let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [(PermitStatus::Active, 2), (PermitStatus::Revoked, 1)]);
        assert_eq!(list(PermitFilter { statuses: vec![PermitStatus::Active], ..all() }).await, [3, 1]);
        assert_eq!(store.permit_counts(&PermitFilter::new()).await.unwrap().iter().map(|(_, count)| count).sum::<u64>(), 0);
    });
}
