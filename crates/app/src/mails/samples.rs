//! Every mail with sample data, in both languages: what `/dev/mails` shows, and what the snapshots hold.

use octroi_domain::{mail::Mail, text::Language};

use super::{
    ContactWords, InvitationWords, MessageWords, PermitWords, RequestWords, ToReviewWords,
    compose::{Frame, compose},
    hand_off::LinkedWords,
    joining::{CodeWords, DecidedWords, MemberInvitationWords, ToldWords},
};

/// A mail as it would leave, with sample data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// `request-approved`, …: the same in both languages.
    pub name: &'static str,
    pub language: Language,
    pub mail: Mail,
}

const NAME: &str = "Amina Benali";
const ORGANIZATION: &str = "Commune de Rivebelle";
const SIRET: &str = "21750001600019";
const DPO: &str = "Claude Delorme";

/// Every mail, French then English, each in the order of a request's life.
#[must_use]
pub fn samples(portal: &str) -> Vec<Sample> {
    [Language::Fr, Language::En]
        .into_iter()
        .flat_map(|language| {
            let mut all = requests(language, portal);
            all.extend(permits(language, portal));
            all.push(invitation(language, portal));
            all.extend(super::accounts::samples(language, portal).into_iter().map(|(name, mail)| Sample { name, language, mail }));
            all.extend(joining(language, portal));
            all.extend(hand_off(language, portal));
            all
        })
        .collect()
}

const fn choose(language: Language, french: &'static str, english: &'static str) -> &'static str {
    match language {
        Language::Fr => french,
        Language::En => english,
    }
}

fn requests(language: Language, portal: &str) -> Vec<Sample> {
    let french = language == Language::Fr;
    let title = choose(language, "Tarification de la cantine", "Canteen fees");
    let definition = "API Particulier";
    let message = choose(language, "Précisez la durée de conservation.\n\nMerci !", "Please say how long the data is kept.\n\nThank you!");
    let sample = |name, to: &str, words: &dyn Fn(&Frame<'_>) -> Mail, path: &str, quote| {
        let frame = Frame { to, language, quote, path: path.to_owned(), portal };
        Sample { name, language, mail: words(&frame) }
    };
    let request = |state, permit| RequestWords { french, name: NAME, id: "D128", title, definition, state, permit };
    let to_review = ToReviewWords { french, name: "Denis Roy", id: "D128", title, definition, organization: ORGANIZATION, siret: SIRET };
    let contact = |dpo| ContactWords {
        french,
        name: DPO,
        id: "D128",
        title,
        definition,
        permit: "H57",
        dpo,
        organization: ORGANIZATION,
        siret: SIRET,
        applicant: NAME,
        applicant_email: "applicant@rivebelle.example",
    };
    let written = |name, from, reviewer| MessageWords { french, name, id: "D128", title, definition, from, reviewer };
    let (applicant, here) = ("applicant@rivebelle.example", "/access-requests/D128");
    vec![
        sample("request-submitted", applicant, &|frame| compose(&request("submitted", None), frame), here, None),
        sample("request-to-review", "reviewer@dinum.example", &|frame| compose(&to_review, frame), "/access-requests/D128/review", None),
        sample(
            "message-applicant",
            applicant,
            &|frame| compose(&written(NAME, "DINUM", false), frame),
            "/access-requests/D128/messages",
            None,
        ),
        sample(
            "message-reviewer",
            "reviewer@dinum.example",
            &|frame| compose(&written("Denis Roy", ORGANIZATION, true), frame),
            "/access-requests/D128/messages",
            None,
        ),
        sample("request-changes", applicant, &|frame| compose(&request("changes_requested", None), frame), here, Some(message)),
        sample("request-refused", applicant, &|frame| compose(&request("refused", None), frame), here, Some(message)),
        sample("request-approved", applicant, &|frame| compose(&request("approved", Some("H57")), frame), "/permits/H57", None),
        sample("permit-controller", "maire@rivebelle.example", &|frame| compose(&contact(false), frame), "/register?q=H57", None),
        sample("permit-dpo", "dpo@rivebelle.example", &|frame| compose(&contact(true), frame), "/register?q=H57", None),
    ]
}

fn permits(language: Language, portal: &str) -> Vec<Sample> {
    let reason = choose(language, "Le traitement n'a plus lieu.", "The processing has ended.");
    let sample = |name, state, quote| {
        let words = PermitWords { french: language == Language::Fr, name: NAME, id: "H57", definition: "API Particulier", state };
        let frame = Frame { to: "applicant@rivebelle.example", language, quote, path: "/permits/H57".to_owned(), portal };
        Sample { name, language, mail: compose(&words, &frame) }
    };
    vec![
        sample("permit-suspended", "suspended", Some(reason)),
        sample("permit-resumed", "active", None),
        sample("permit-revoked", "revoked", Some(reason)),
        sample("permit-expired", "expired", None),
    ]
}

fn invitation(language: Language, portal: &str) -> Sample {
    let words = InvitationWords {
        french: language == Language::Fr,
        name: choose(language, "Annuaire interne", "Internal directory"),
        email: "nouvelle@hautmoulin.example",
        inviter: "Denis Roy",
        inviter_email: "api-administrator@dinum.example",
        days: octroi_domain::invitation::VALID_DAYS,
    };
    let frame = Frame { to: "nouvelle@hautmoulin.example", language, quote: None, path: "/invitations/K7Sample".to_owned(), portal };
    Sample { name: "invitation", language, mail: compose(&words, &frame) }
}

fn joining(language: Language, portal: &str) -> Vec<Sample> {
    let french = language == Language::Fr;
    let (person, email) = ("Nora Vidal", "nora.vidal@rivebelle.example");
    let sample = |name, to: &str, path: &str, quote, words: &dyn Fn(&Frame<'_>) -> Mail| Sample {
        name,
        language,
        mail: words(&Frame { to, language, quote, path: path.to_owned(), portal }),
    };
    let told = |kind, name| ToldWords { french, name, kind, person, email, organization: ORGANIZATION, number: SIRET };
    let code = CodeWords { french, person, email, organization: ORGANIZATION, number: SIRET, code: "4829 163 057", minutes: 60 };
    let decided = |accepted| DecidedWords { french, name: person, accepted, may_reopen: true, organization: ORGANIZATION, number: SIRET };
    let invitation = MemberInvitationWords { french, person: NAME, email, organization: ORGANIZATION, number: SIRET, days: 15 };
    let answer = choose(language, "Demandez avec votre adresse professionnelle.", "Ask with your professional address.");
    let here = "/organizations/joining/018f-sample";
    vec![
        sample("join-code", "mairie@rivebelle.example", "/", None, &|frame| compose(&code, frame)),
        sample("join-sponsor", "applicant@rivebelle.example", here, None, &|frame| compose(&told("sponsor", NAME), frame)),
        sample("join-to-decide", "operator@octroi.example", "/operator/joining/018f-sample", None, &|frame| {
            compose(&told("operator", "Odile Martin"), frame)
        }),
        sample("join-accepted", email, "/organizations/018f-sample", None, &|frame| compose(&decided(true), frame)),
        sample("join-refused", email, here, Some(answer), &|frame| compose(&decided(false), frame)),
        sample("join-told", "applicant@rivebelle.example", "/organizations/018f-sample", None, &|frame| {
            compose(&told("joined", NAME), frame)
        }),
        sample("join-invitation", email, "/organizations/invitations/K7Sample", None, &|frame| compose(&invitation, frame)),
    ]
}

fn hand_off(language: Language, portal: &str) -> Vec<Sample> {
    let email = "former@rivebelle.example";
    let sample = |name, proof| {
        let product = choose(language, "Carnet de notes", "Notebook");
        let words = LinkedWords { french: language == Language::Fr, product, email, proof };
        let frame = Frame { to: email, language, quote: None, path: "/legal".to_owned(), portal };
        Sample { name, language, mail: compose(&words, &frame) }
    };
    vec![
        sample("legacy-linked-password", "password"),
        sample("legacy-linked-address", "verified_email"),
        sample("legacy-linked-operator", "operator"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTAL: &str = "https://portail.example";

    #[test]
    fn every_mail_reads_as_it_should() {
        for Sample { name, language, mail } in samples(PORTAL) {
            let name = format!("{name}-{language:?}").to_lowercase();
            insta::assert_snapshot!(format!("{name}.txt"), format!("{}\n{}\n\n{}", mail.subject, mail.preheader, mail.text));
            insta::assert_snapshot!(format!("{name}.html"), mail.html);
        }
    }

    #[test]
    fn every_mail_says_what_happened_and_leads_to_its_page() {
        let all = samples(PORTAL);
        assert!(all.len() >= 22 && all.len().is_multiple_of(2), "{}", all.len());
        for Sample { name, language, mail } in all {
            let (subject, preheader) = (mail.subject.chars().count(), mail.preheader.chars().count());
            assert!((10..=110).contains(&subject) && (20..=110).contains(&preheader), "{name}: {subject}, {preheader}");
            let lang = choose(language, "<html lang=\"fr\">", "<html lang=\"en\">");
            assert!(mail.html.contains(lang) && mail.html.contains("href=\"https://portail.example/"), "{name}");
            assert!(mail.text.contains("https://portail.example/") && !mail.text.contains("[quote]"), "{name}");
            // Nothing is fetched, run or counted when a mail is opened.
            for forbidden in ["<img", "<script", "<link", "<iframe", "@import", "url(", "src="] {
                assert!(!mail.html.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }

    /// A value that began a paragraph could pass for a mark of the words.
    #[test]
    fn no_paragraph_begins_with_a_value() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mails/");
        let mut files = 0;
        for language in ["fr", "en"] {
            for entry in std::fs::read_dir(format!("{folder}{language}")).unwrap() {
                let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
                assert!(!text.lines().any(|line| line.starts_with("{{")), "{text}");
                files += 1;
            }
        }
        assert!(files >= 8, "{files}");
    }
}
