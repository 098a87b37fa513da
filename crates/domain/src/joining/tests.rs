//! Sixty addresses, each against six kinds of organisations: what comes of it.

use super::*;
use crate::directory::{Source, sample};

fn known(facts: Facts) -> Standing {
    Standing::Known { facts, source: Source::RechercheEntreprises, fetched_at: Moment::from_micros(0) }
}
fn domain(name: &str, state: DomainState) -> KnownDomain {
    KnownDomain { domain: name.parse().unwrap(), state, set_at: Moment::from_micros(0) }
}

struct Body {
    standing: Standing,
    domains: Vec<KnownDomain>,
    contact: Option<&'static str>,
    sponsors: bool,
}
impl Body {
    fn case<'a>(&'a self, email: &'a str) -> Case<'a> {
        Case {
            email,
            email_verified: true,
            standing: &self.standing,
            domains: &self.domains,
            official_contact: self.contact,
            asserted: false,
            has_sponsors: self.sponsors,
            confirmed: false,
        }
    }
}

/// A commune with the contact of its town hall; a ministry; a company of 250 people; a small association; a sole trader; and a body
/// that no directory could speak of.
fn bodies() -> [Body; 6] {
    let body = |standing| Body { standing, domains: Vec::new(), contact: None, sponsors: false };
    [
        Body { contact: Some("mairie@rivebelle.fr"), ..body(known(sample("7210", "84.11Z", "11"))) },
        Body {
            domains: vec![
                domain("culture.gouv.fr", DomainState::Verified),
                domain("prestataire.example", DomainState::External),
                domain("ancien.culture.gouv.fr", DomainState::Refused),
            ],
            ..body(known(sample("7120", "84.11Z", "42")))
        },
        Body {
            domains: vec![domain("acme.fr", DomainState::Verified), domain("acme-sud.fr", DomainState::NotVerifiedYet)],
            sponsors: true,
            ..body(known(sample("5710", "62.01Z", "32")))
        },
        body(known(sample("9220", "94.99Z", "01"))),
        body(known(sample("1000", "62.01Z", "NN"))),
        body(Standing::Unverified),
    ]
}

/// One letter for one outcome: capitals let in or lead in, small letters refuse.
fn letter(outcome: Outcome) -> char {
    use LinkProof as Proof;
    match outcome {
        Outcome::Linked { external: true, .. } => 'X',
        Outcome::Linked { level: LinkLevel::Verified, proof: Proof::Domain, .. } => 'V',
        Outcome::Linked { level: LinkLevel::Verified, proof: Proof::OfficialContact, .. } => 'O',
        Outcome::Linked { level: LinkLevel::Verified, proof: Proof::OfficialContactDomain, .. } => 'D',
        Outcome::Linked { level: LinkLevel::Unverified, proof: Proof::Nothing, .. } => 'N',
        Outcome::Linked { .. } => '!',
        LinkedUnderReview(_) => 'R',
        NeedsCode => 'C',
        NeedsSponsor(_) => 'S',
        Moderation(_) => 'M',
        NeedsConfirmation => '?',
        Refused(No::FreeAddress) => 'f',
        Refused(No::GovernmentAddress) => 'g',
        Refused(No::LookAlike) => 'l',
        Refused(No::DomainRefused) => 'd',
        Refused(No::AddressUnusable) => 'a',
        Refused(_) => 'x',
    }
}

#[test]
fn sixty_addresses_and_six_kinds_of_organisations() {
    #[rustfmt::skip]
    let table = [
        // Own domains.                          commune, ministry, company, association, sole trader, not known
        ("ada@rivebelle.fr",                     "DMSMNR"),
        ("mairie@rivebelle.fr",                  "OMSMNR"),
        ("MAIRIE@Rivebelle.FR",                  "OMSMNR"),
        ("ada+cantine@rivebelle.fr",             "DMSMNR"),
        ("ada@mail.rivebelle.fr",                "CMSMNR"),
        ("ada@culture.gouv.fr",                  "CVgggR"),
        ("ADA@CULTURE.GOUV.FR",                  "CVgggR"),
        ("ada+x@culture.gouv.fr",                "CVgggR"),
        ("ada@dsi.culture.gouv.fr",              "CMgggR"),
        ("ada@ancien.culture.gouv.fr",           "CdgggR"),
        ("ada@interieur.gouv.fr",                "CMgggR"),
        ("ada@gouv.fr",                          "CMgggR"),
        ("ada@prestataire.example",              "CXSMNR"),
        ("ada@acme.fr",                          "CMVMNR"),
        ("Ada.Lovelace@Acme.fr",                 "CMVMNR"),
        ("ada@acme-sud.fr",                      "CMRMNR"),
        ("ada@sub.acme.fr",                      "CMSMNR"),
        ("ada@acme.com",                         "CMSMNR"),
        ("ada@association-des-parents.fr",       "CMSMNR"),
        ("ada@lovelace-conseil.fr",              "CMSMNR"),
        ("ada@ac-lyon.fr",                       "CMSMNR"),
        // Free addresses.
        ("ada@gmail.com",                        "Cf?NNR"),
        ("ada+mairie@gmail.com",                 "Cf?NNR"),
        ("ADA@GMAIL.COM",                        "Cf?NNR"),
        ("mairie.rivebelle@orange.fr",           "Cf?NNR"),
        ("mairie@wanadoo.fr",                    "Cf?NNR"),
        ("ada@laposte.net",                      "Cf?NNR"),
        ("ada@free.fr",                          "Cf?NNR"),
        ("ada@hotmail.com",                      "Cf?NNR"),
        ("ada@outlook.fr",                       "Cf?NNR"),
        ("ada@yahoo.fr",                         "Cf?NNR"),
        ("ada@proton.me",                        "Cf?NNR"),
        ("ada@icloud.com",                       "Cf?NNR"),
        ("ada@sfr.fr",                           "Cf?NNR"),
        ("ada@yopmail.com",                      "Cf?NNR"),
        ("ada@gmail.com.fr",                     "CMSMNR"),
        // What passes for somebody else's.
        ("ada@gouv.fr.evil",                     "llllll"),
        ("ada@culture.gouv.fr.evil.example",     "llllll"),
        ("ada@gоuv.fr",                          "llllll"),
        ("ada@culture.gоuv.fr",                  "llllll"),
        ("ada@сulture.gouv.fr",                  "ClgggR"),
        ("ada@xn--guv-sed.fr",                   "llllll"),
        ("ada@XN--GUV-SED.FR",                   "llllll"),
        ("ada@gouν.fr",                          "llllll"),
        ("ada@culture-gouv.fr",                  "llllll"),
        ("ada@gouv-fr.com",                      "llllll"),
        ("ada@gouv.fr-impots.com",               "llllll"),
        ("ada@rivebelle.fr.evil.example",        "lMSMNR"),
        ("ada@rivebеlle.fr",                     "lMSMNR"),
        ("mairie@rіvebelle.fr",                  "lMSMNR"),
        ("ada@аcme.fr",                          "CMlMNR"),
        ("ada@acme.fr.evil.example",             "CMlMNR"),
        ("ada@acrne.fr",                         "CMlMNR"),
        ("ada@ａｃｍｅ.fr",                       "CMVMNR"),
        // What could be read in two ways.
        ("a@x@gouv.fr",                          "aaaaaa"),
        ("ada@evil.example@culture.gouv.fr",     "aaaaaa"),
        ("\"ada@evil.example\"@culture.gouv.fr", "aaaaaa"),
        ("\"ada lovelace\"@culture.gouv.fr",     "aaaaaa"),
        ("ada@culture.gouv.fr.",                 "aaaaaa"),
        ("ada@culture.gouv.fr\0.evil",           "aaaaaa"),
        ("ada@[192.0.2.1]",                      "aaaaaa"),
        ("ada@192.0.2.1",                        "aaaaaa"),
        ("ada@gouv",                             "aaaaaa"),
        ("ada@xn--a.gouv.fr",                    "aaaaaa"),
        ("ada@culture\u{200b}.gouv.fr",          "aaaaaa"),
        ("@culture.gouv.fr",                     "aaaaaa"),
        ("ada",                                  "aaaaaa"),
    ];
    assert!(table.len() >= 60);
    let bodies = bodies();
    let mut wrong = Vec::new();
    for (email, expected) in table {
        let found: String = bodies.iter().map(|body| letter(decide(&body.case(email)).0)).collect();
        if found != expected {
            wrong.push(format!("{email}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_stands_above_every_address() {
    let [_, ministry, company, ..] = bodies();
    let mut case = ministry.case("ada@culture.gouv.fr");
    case.email_verified = false;
    assert_eq!(decide(&case).0, Refused(No::AddressNotVerified));

    let closed = Body { standing: known(Facts { active: false, ..sample("7120", "84.11Z", "42") }), ..ministry };
    let mut case = closed.case("ada@culture.gouv.fr");
    assert_eq!(decide(&case).0, Refused(No::Closed));
    case.asserted = true;
    assert_eq!(decide(&case).0, Refused(No::Closed), "not even an identity provider opens it again");

    let unknown = Body { standing: Standing::Unknown { asked_at: Moment::from_micros(0) }, ..closed };
    assert_eq!(decide(&unknown.case("ada@culture.gouv.fr")).0, Refused(No::UnknownNumber));

    // A free address says once more that it is meant, then a member is asked; where there is none, the operator.
    let mut case = company.case("ada@gmail.com");
    case.confirmed = true;
    assert_eq!(decide(&case).0, NeedsSponsor(Why::FreeAddress));
    case.has_sponsors = false;
    assert_eq!(decide(&case).0, Moderation(Why::FreeAddress));

    let mut case = company.case("ada@elsewhere.example");
    case.asserted = true;
    assert_eq!(decide(&case).0, linked(Certified, LinkProof::IdentityProvider));
}

#[test]
fn a_free_domain_proves_nothing_whatever_was_written_down() {
    let [_, _, company, ..] = bodies();
    let fooled = Body { domains: vec![domain("gmail.com", DomainState::Verified)], ..company };
    assert_eq!(decide(&fooled.case("ada@gmail.com")).0, NeedsConfirmation);
    let contact = Body { contact: Some("acme@gmail.com"), sponsors: false, ..fooled };
    assert_eq!(decide(&contact.case("ada@gmail.com")).0, NeedsConfirmation, "the same provider as the contact is not the same address");
    assert_eq!(decide(&contact.case("Acme@gmail.com")).0, linked(Verified, LinkProof::OfficialContact));
}

#[test]
fn every_rule_is_named_once() {
    let names: std::collections::BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
}
