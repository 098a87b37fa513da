//! The closed list of field kinds: a new kind is one variant here, and the compiler lists the rest.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Block, Choice, ContactKind, Definition};
use crate::{scope::Scope, text::Text};

/// Retention above this many months must be justified (DataPass practice, after GDPR article 5(1)(e)).
pub const RETENTION_WITHOUT_JUSTIFICATION: i64 = 36;

/// When a field must be answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Needed {
    #[default]
    Always,
    Never,
    /// When the integer answered to `field` is above `limit`.
    Above {
        field: String,
        limit: i64,
    },
}

impl Needed {
    /// Must the field be answered beside these answers?
    pub fn holds<'a>(&self, answer: impl Fn(&str) -> Option<&'a Value>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Above { field, limit } => answer(field).and_then(Value::as_i64).is_some_and(|number| number > *limit),
        }
    }

    /// Is it asked because of another answer, which does not ask for it here? Then its silence says nothing.
    pub fn is_moot<'a>(&self, answer: impl Fn(&str) -> Option<&'a Value>) -> bool {
        matches!(self, Self::Above { .. }) && !self.holds(answer)
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the answers: lower-case letters, digits and `_`.
    pub id: String,
    pub label: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    #[serde(default)]
    pub needed: Needed,
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// What an answer may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// One line, 1 to 255 characters.
    Text,
    /// Several lines, 1 to 10 000 characters.
    LongText,
    Email,
    Phone,
    /// `YYYY-MM-DD`.
    Date,
    /// `https://…` or `http://…`.
    Url,
    Siret,
    Integer {
        minimum: i64,
        maximum: i64,
    },
    Boolean,
    /// A box that must be ticked.
    Agreement,
    Choice {
        options: Vec<Choice>,
    },
    Choices {
        options: Vec<Choice>,
    },
    /// One of these numbers.
    Level {
        options: Vec<u32>,
    },
    /// `{family_name, given_name, email, phone, job}`.
    Contact {
        contact: ContactKind,
    },
    /// `{authority, from, until}`: who certified, and between which dates.
    Certification,
    /// `[{title, url}]`, at most 6.
    Documents,
    /// Scopes of the definition.
    Scopes {
        offered: Vec<Scope>,
    },
}

fn field(id: &str, fr: &str, en: &str, kind: FieldKind) -> Field {
    Field { id: id.to_owned(), label: Text::new(fr, en), help: None, needed: Needed::Always, kind }
}

fn helped(field: Field, fr: &str, en: &str) -> Field {
    Field { help: Some(Text::new(fr, en)), ..field }
}

/// The fields that a block brings.
pub(super) fn of_block(definition: &Definition, block: &Block) -> Vec<Field> {
    match block {
        Block::BasicInformation {} => vec![
            helped(
                field("title", "Nom du projet", "Name of the project", FieldKind::Text),
                "Un nom court, que le fournisseur et vos collègues reconnaîtront.",
                "A short name that the provider and your colleagues will recognise.",
            ),
            helped(
                field("description", "Description du projet", "Description of the project", FieldKind::LongText),
                "Qui s’en sert, pour quelle démarche, et ce que les données évitent de demander aux personnes.",
                "Who uses it, for which procedure, and what the data save people from being asked.",
            ),
        ],
        Block::LegalBasis {} => vec![
            helped(
                field("legal_basis", "Fondement juridique du traitement", "Legal basis of the processing", FieldKind::LongText),
                "Les articles du texte, ou la délibération, qui prévoient ce traitement.",
                "The articles of the text, or the deliberation, that provide for this processing.",
            ),
            helped(
                field("legal_basis_url", "Lien vers le texte ou la délibération", "Link to the text or the deliberation", FieldKind::Url),
                "Une adresse publique qui commence par https://, par exemple sur Légifrance.",
                "A public address that begins with https://, for example on Légifrance.",
            ),
        ],
        Block::PersonalData {} => vec![
            helped(
                field("purpose", "Finalité du traitement", "Purpose of the processing", FieldKind::LongText),
                "À quoi servent les données, précisément.",
                "What the data are for, exactly.",
            ),
            helped(
                field("recipients", "Destinataires des données", "Recipients of the data", FieldKind::LongText),
                "Les services et les personnes qui verront les données, sous-traitants compris.",
                "The departments and people who will see the data, processors included.",
            ),
            field(
                "retention_months",
                "Durée de conservation (mois)",
                "Retention (months)",
                FieldKind::Integer { minimum: 0, maximum: 1200 },
            ),
            Field {
                needed: Needed::Above { field: "retention_months".into(), limit: RETENTION_WITHOUT_JUSTIFICATION },
                ..field("retention_justification", "Justification au-delà de 36 mois", "Justification above 36 months", FieldKind::LongText)
            },
        ],
        Block::Scopes {} => vec![field(
            "scopes",
            "Données demandées",
            "Data asked for",
            FieldKind::Scopes { offered: definition.scopes.iter().map(|scope| scope.value.clone()).collect() },
        )],
        Block::Modalities {} => {
            vec![field("modality", "Modalité d’appel", "Way of calling", FieldKind::Choice { options: definition.modalities.clone() })]
        }
        Block::Contacts { contacts } => contacts.iter().map(|contact| contact_field(*contact)).collect(),
        Block::Volumes { calls_per_minute, .. } => vec![
            field("calls_per_minute", "Appels par minute", "Calls per minute", FieldKind::Level { options: calls_per_minute.clone() }),
            Field {
                needed: Needed::Above {
                    field: "calls_per_minute".into(),
                    limit: calls_per_minute.iter().min().copied().map_or(0, i64::from),
                },
                ..field("volume_justification", "Justification du volume", "Justification of the volume", FieldKind::LongText)
            },
        ],
        Block::OperationalAcceptance { .. } => vec![field(
            "operational_acceptance_done",
            "La recette fonctionnelle a été menée à bien",
            "The operational acceptance was carried out",
            FieldKind::Agreement,
        )],
        Block::SecurityCertification { .. } => {
            vec![field("security_certification", "Homologation de sécurité", "Security certification", FieldKind::Certification)]
        }
        Block::Documents { required } => vec![Field {
            needed: if *required { Needed::Always } else { Needed::Never },
            ..field("documents", "Pièces justificatives (liens)", "Supporting documents (links)", FieldKind::Documents)
        }],
        Block::Custom { fields, .. } => fields.clone(),
    }
}

fn contact_field(contact: ContactKind) -> Field {
    let (fr, en) = match contact {
        ContactKind::Technical => ("Contact technique", "Technical contact"),
        ContactKind::Business => ("Contact métier", "Business contact"),
        ContactKind::Controller => ("Responsable du traitement", "Data controller"),
        ContactKind::Dpo => ("Délégué à la protection des données", "Data protection officer"),
    };
    field(contact.field(), fr, en, FieldKind::Contact { contact })
}

/// The members of an answer that is an object.
pub const CONTACT_MEMBERS: [&str; 5] = ["family_name", "given_name", "email", "phone", "job"];
pub const CERTIFICATION_MEMBERS: [&str; 3] = ["authority", "from", "until"];
pub const DOCUMENT_MEMBERS: [&str; 2] = ["title", "url"];
pub const MAX_DOCUMENTS: usize = 6;
pub const MAX_TEXT: usize = 255;
pub const MAX_LONG_TEXT: usize = 10_000;

/// What is wrong with one answer: where in it (a JSON pointer), the code of [`super::FieldError`], and why.
pub(super) type Fault = (String, &'static str, Text);

/// A member that is not there yet: a draft may leave it for later.
pub(super) const REQUIRED: &str = "required";
pub(super) const INVALID: &str = "invalid";

impl FieldKind {
    /// Said where nothing was answered.
    pub(super) fn missing(&self) -> Text {
        match self {
            Self::Agreement => Text::new("Cochez cette case pour continuer.", "Tick this box to go on."),
            Self::Boolean => Text::new("Choisissez oui ou non.", "Choose yes or no."),
            Self::Choice { .. } | Self::Level { .. } => Text::new("Choisissez une réponse.", "Choose an answer."),
            Self::Choices { .. } => Text::new("Choisissez au moins une réponse.", "Choose at least one answer."),
            Self::Scopes { .. } => Text::new("Choisissez au moins une donnée.", "Choose at least one scope."),
            Self::Documents => Text::new("Ajoutez au moins un document.", "Add at least one document."),
            Self::Integer { .. } => Text::new("Donnez un nombre.", "Give a number."),
            Self::Date => Text::new("Donnez une date.", "Give a date."),
            _ => Text::new("Remplissez ce champ.", "Fill this field in."),
        }
    }

    /// Checks one answer against the kind, apart from the scope rules, which need the definition.
    pub(super) fn check(&self, value: &Value) -> Result<(), Vec<Fault>> {
        let one = |fr: &str, en: &str| Err(vec![(String::new(), INVALID, Text::new(fr, en))]);
        match self {
            Self::Text => check_text(value, MAX_TEXT, false),
            Self::LongText => check_text(value, MAX_LONG_TEXT, true),
            Self::Email => string(value, is_email).map_or_else(
                || {
                    one(
                        "Écrivez une adresse électronique, par exemple nom@exemple.fr.",
                        "Write an e-mail address, for example name@example.org.",
                    )
                },
                Ok,
            ),
            Self::Phone => string(value, is_phone).map_or_else(
                || {
                    one(
                        "Écrivez un numéro de téléphone, par exemple 01 23 45 67 89.",
                        "Write a telephone number, for example +33 1 23 45 67 89.",
                    )
                },
                Ok,
            ),
            Self::Date => {
                string(value, is_date).map_or_else(|| one("Donnez une date, au format AAAA-MM-JJ.", "Give a date, as YYYY-MM-DD."), Ok)
            }
            Self::Url => string(value, is_url)
                .map_or_else(|| one("Donnez une adresse qui commence par https://.", "Give an address that begins with https://."), Ok),
            Self::Siret => string(value, |text| text.parse::<crate::organization::Siret>().is_ok()).map_or_else(
                || {
                    one(
                        "Donnez un SIRET : 14 chiffres, dont le dernier vérifie les autres.",
                        "Give a SIRET: 14 digits, the last of which checks the others.",
                    )
                },
                Ok,
            ),
            Self::Integer { minimum, maximum } => match value.as_i64() {
                Some(number) if (*minimum..=*maximum).contains(&number) => Ok(()),
                _ => one(
                    &format!("Donnez un nombre entier de {minimum} à {maximum}."),
                    &format!("Give a whole number from {minimum} to {maximum}."),
                ),
            },
            Self::Boolean if value.is_boolean() => Ok(()),
            Self::Boolean => one("Choisissez oui ou non.", "Choose yes or no."),
            Self::Agreement if value == &Value::Bool(true) => Ok(()),
            Self::Agreement => one("Cochez cette case pour continuer.", "Tick this box to go on."),
            Self::Choice { options } => match value.as_str() {
                Some(text) if options.iter().any(|option| option.value == text) => Ok(()),
                _ => one(&format!("Choisissez parmi : {}.", names(options)), &format!("Choose one of: {}.", names(options))),
            },
            Self::Choices { options } => each(value, 100, |item| match item.as_str() {
                Some(text) if options.iter().any(|option| option.value == text) => Ok(()),
                _ => one(&format!("Choisissez parmi : {}.", names(options)), &format!("Choose among: {}.", names(options))),
            }),
            Self::Level { options } => match value.as_u64() {
                Some(number) if options.iter().any(|option| u64::from(*option) == number) => Ok(()),
                _ => one(&format!("Choisissez parmi : {options:?}."), &format!("Choose one of: {options:?}.")),
            },
            Self::Contact { .. } => members(value, &CONTACT_MEMBERS, |name, item| match name {
                "email" => Self::Email.check(item),
                "phone" => Self::Phone.check(item),
                _ => Self::Text.check(item),
            }),
            Self::Certification => members(value, &CERTIFICATION_MEMBERS, |name, item| match name {
                "authority" => Self::Text.check(item),
                _ => Self::Date.check(item),
            }),
            Self::Documents => each(value, MAX_DOCUMENTS, |item| {
                members(item, &DOCUMENT_MEMBERS, |name, item| match name {
                    "title" => Self::Text.check(item),
                    _ => Self::Url.check(item),
                })
            }),
            Self::Scopes { offered } => each(value, 1_000, |item| match item.as_str() {
                Some(text) if offered.iter().any(|scope| scope.as_str() == text) => Ok(()),
                Some(text) => {
                    let shown: String = text.chars().take(130).collect();
                    one(&format!("« {shown} » n’est pas proposé."), &format!("`{shown}` is not offered."))
                }
                None => one("Écrivez un texte.", "Write a text."),
            }),
        }
    }
}

fn names(options: &[Choice]) -> String {
    options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn string(value: &Value, good: impl Fn(&str) -> bool) -> Option<()> {
    value.as_str().filter(|text| text.len() <= 2_000 && good(text)).map(|_| ())
}

fn check_text(value: &Value, longest: usize, lines: bool) -> Result<(), Vec<Fault>> {
    let fault = |fr: String, en: String| Err(vec![(String::new(), INVALID, Text::new(fr, en))]);
    let Some(text) = value.as_str() else {
        return fault("Écrivez un texte.".into(), "Write a text.".into());
    };
    let length = text.chars().count();
    if text.trim().is_empty() || length > longest {
        return fault(format!("Écrivez un texte de 1 à {longest} caractères."), format!("Write a text of 1 to {longest} characters."));
    }
    // Bidirectional overrides and invisible characters can make a text read as another.
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let control = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().any(|c| hidden(c) || control(c)) {
        return fault("Retirez les caractères invisibles de ce texte.".into(), "Remove the invisible characters from this text.".into());
    }
    Ok(())
}

fn each(value: &Value, most: usize, check: impl Fn(&Value) -> Result<(), Vec<Fault>>) -> Result<(), Vec<Fault>> {
    let Some(items) = value.as_array().filter(|items| items.len() <= most) else {
        return Err(vec![(
            String::new(),
            INVALID,
            Text::new(format!("Donnez au plus {most} éléments."), format!("Give at most {most} items.")),
        )]);
    };
    let mut faults = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if items.iter().take(index).any(|before| before == item) {
            faults.push((format!("/{index}"), INVALID, Text::new("Cet élément est en double.", "This item is listed twice.")));
        } else if let Err(inner) = check(item) {
            faults.extend(inner.into_iter().map(|(pointer, code, text)| (format!("/{index}{pointer}"), code, text)));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn members(value: &Value, names: &[&str], check: impl Fn(&str, &Value) -> Result<(), Vec<Fault>>) -> Result<(), Vec<Fault>> {
    let Some(object) = value.as_object() else {
        return Err(vec![(
            String::new(),
            INVALID,
            Text::new(format!("Un objet est attendu : {}.", names.join(", ")), format!("An object is expected: {}.", names.join(", "))),
        )]);
    };
    let mut faults = Vec::new();
    for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
        faults.push((format!("/{}", escape(name)), INVALID, Text::new("Ce membre n’existe pas.", "There is no such member.")));
    }
    for name in names {
        match object.get(*name) {
            None => faults.push((format!("/{name}"), REQUIRED, FieldKind::Text.missing())),
            Some(item) => {
                if let Err(inner) = check(name, item) {
                    faults.extend(inner.into_iter().map(|(pointer, code, text)| (format!("/{name}{pointer}"), code, text)));
                }
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Escapes a name for a JSON pointer (RFC 6901), bounded in length.
pub(super) fn escape(name: &str) -> String {
    name.chars().take(100).collect::<String>().replace('~', "~0").replace('/', "~1")
}

pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (1..=64).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && text.len() <= 254
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (6..=15).contains(&digits)
        && text.len() <= 30
        && text.bytes().enumerate().all(|(place, b)| b.is_ascii_digit() || b" .-()".contains(&b) || (b == b'+' && place == 0))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && !host.contains('@')
            && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\\' | '`'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(kind: &FieldKind, good: &[Value], bad: &[Value]) {
        for value in good {
            assert_eq!(kind.check(value), Ok(()), "{value}");
        }
        for value in bad {
            assert!(kind.check(value).is_err(), "{value}");
        }
    }

    #[test]
    fn kinds_accept_and_refuse() {
        check(
            &FieldKind::Text,
            &[json!("a")],
            &[json!(""), json!("  "), json!(1), json!("a\nb"), json!("a\u{202e}b"), json!("x".repeat(256))],
        );
        check(&FieldKind::LongText, &[json!("a\nb")], &[json!("a\u{0}b"), json!(null)]);
        check(
            &FieldKind::Email,
            &[json!("a.b+c@d.fr")],
            &[json!("a@b"), json!("a@@b.fr"), json!("a b@c.fr"), json!("é@c.fr"), json!("a@-b.fr"), json!("a\n@b.fr")],
        );
        check(
            &FieldKind::Phone,
            &[json!("+33 1 23 45 67 89"), json!("0123456789")],
            &[json!("12"), json!("1+23456789"), json!("abcdefghij")],
        );
        check(&FieldKind::Date, &[json!("2026-02-28")], &[json!("2026-02-30"), json!("2026-2-3"), json!("20260203")]);
        check(
            &FieldKind::Url,
            &[json!("https://a.fr/b?c")],
            &[json!("javascript:alert(1)"), json!("https://"), json!("https://u@h/"), json!("https://a b")],
        );
        check(&FieldKind::Integer { minimum: 0, maximum: 3 }, &[json!(0), json!(3)], &[json!(-1), json!(4), json!("1"), json!(1.5)]);
        check(&FieldKind::Agreement, &[json!(true)], &[json!(false), json!("true")]);
        check(&FieldKind::Level { options: vec![50, 200] }, &[json!(50)], &[json!(51), json!("50")]);
    }

    #[test]
    fn the_fault_says_where() {
        let contact = FieldKind::Contact { contact: ContactKind::Dpo };
        let faults = contact.check(&json!({"family_name": "A", "given_name": "B", "email": "no", "job": "x", "extra/1": 1})).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|(pointer, ..)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/extra~11", "/email", "/phone"]);
        let scopes = FieldKind::Scopes { offered: ["a", "b"].iter().filter_map(|s| s.parse().ok()).collect() };
        let faults = scopes.check(&json!(["a", "c", "a"])).unwrap_err();
        assert_eq!(faults.iter().map(|(pointer, ..)| pointer.as_str()).collect::<Vec<_>>(), ["/1", "/2"]);
    }
}
