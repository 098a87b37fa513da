//! What can be asked (a definition) and how it is asked (its forms): data, never code.

pub mod answers;
mod example;
pub mod field;
mod lint;
mod schema;
pub mod steps;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    answers::{Answers, CompleteAnswers, FieldError},
    field::{Field, FieldKind, Needed},
    steps::{Filled, Step, Typed},
};
use crate::{
    Slug,
    api::ApiName,
    organization::Siret,
    scope::{OfferedScope, Scope, ScopeRule},
    stage::Stage,
    text::Text,
};

/// A kind of permit that can be asked for: `definition.yaml`. Versioned: a request keeps the
/// version it was written against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub slug: Slug,
    pub provider: Slug,
    pub name: Text,
    pub description: Text,
    /// The APIs that a permit of this definition opens.
    pub apis: Vec<ApiName>,
    /// Terms that the applicant accepts when submitting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
    /// Stages asked for one after the other; empty: one permit covers both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// One active request per organisation.
    #[serde(default)]
    pub unique: bool,
    /// May applicants start a request? A retired definition keeps its permits.
    #[serde(default = "yes")]
    pub startable: bool,
    #[serde(default)]
    pub features: Features,
    /// How long a permit lasts; none: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity_months: Option<u16>,
    pub blocks: Vec<Block>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<OfferedScope>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope_rules: Vec<ScopeRule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Choice>,
    /// Messages that a reviewer can begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageTemplate>,
    /// Filled from the `forms/` folder.
    #[serde(default)]
    pub forms: Vec<Form>,
}

const fn yes() -> bool {
    true
}

/// Switches of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    pub messaging: bool,
    pub amendment: bool,
    pub transfer: bool,
    pub reviewer_drafts: bool,
}
impl Default for Features {
    fn default() -> Self {
        Self { messaging: true, amendment: true, transfer: true, reviewer_drafts: false }
    }
}

/// A value to choose from, and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub value: String,
    pub name: Text,
}

/// What a message goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageUse {
    RequestChanges,
    Refuse,
    Approve,
    Suspend,
    Revoke,
}

/// A message prepared by the provider: its text fills the box, and the reviewer changes it freely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageTemplate {
    pub id: Slug,
    #[serde(rename = "for")]
    pub used: MessageUse,
    /// What it is chosen by.
    pub name: Text,
    /// At most [`MessageTemplate::MAX`] characters.
    pub text: Text,
}
impl MessageTemplate {
    /// The longest message that a decision takes, characters.
    pub const MAX: usize = 5_000;
}

/// A part of a form. Each kind brings its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Block {
    /// `title`, `description`.
    BasicInformation {},
    /// `legal_basis`, `legal_basis_url`.
    LegalBasis {},
    /// `purpose`, `recipients`, `retention_months`, and `retention_justification` above 36 months.
    PersonalData {},
    /// `scopes`: offered and ruled by the definition.
    Scopes {},
    /// `modality`: one of the definition's modalities.
    Modalities {},
    /// `contact_<kind>` for each.
    Contacts { contacts: Vec<ContactKind> },
    /// `calls_per_minute`, and `volume_justification` above the smallest.
    Volumes {
        calls_per_minute: Vec<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
    },
    /// `operational_acceptance_done` must be true.
    OperationalAcceptance {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
    },
    /// `security_certification`: authority, start and end dates.
    SecurityCertification {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
    },
    /// `documents`: links to the documents that support the request, with their title.
    Documents {
        #[serde(default)]
        required: bool,
    },
    /// Fields of the provider's own.
    Custom {
        id: Slug,
        title: Text,
        fields: Vec<Field>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
    },
}

/// Whom to reach for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    Technical,
    Business,
    /// Of the data protection regulation: who decides purposes and means (GDPR article 4(7)).
    Controller,
    /// Data protection officer (GDPR article 37).
    Dpo,
}
impl ContactKind {
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Technical => "contact_technical",
            Self::Business => "contact_business",
            Self::Controller => "contact_controller",
            Self::Dpo => "contact_dpo",
        }
    }
}

impl Block {
    /// The name of the block, as forms lock it and pages anchor it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::BasicInformation {} => "basic_information",
            Self::LegalBasis {} => "legal_basis",
            Self::PersonalData {} => "personal_data",
            Self::Scopes {} => "scopes",
            Self::Modalities {} => "modalities",
            Self::Contacts { .. } => "contacts",
            Self::Volumes { .. } => "volumes",
            Self::OperationalAcceptance { .. } => "operational_acceptance",
            Self::SecurityCertification { .. } => "security_certification",
            Self::Documents { .. } => "documents",
            Self::Custom { id, .. } => id.as_str(),
        }
    }

    /// The stage that the block belongs to; none: every stage.
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        match self {
            Self::Volumes { stage, .. }
            | Self::OperationalAcceptance { stage }
            | Self::SecurityCertification { stage }
            | Self::Custom { stage, .. } => *stage,
            _ => None,
        }
    }
}

/// A way of asking for a definition: `forms/<slug>.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    pub slug: Slug,
    pub name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduction: Option<Text>,
    /// The theme it serves, shared by forms of several vendors (`canteen`, `parking`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_case: Option<Slug>,
    /// The software vendor whose customers it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Vendor>,
    /// Offered first.
    #[serde(default)]
    pub default: bool,
    #[serde(default = "yes")]
    pub startable: bool,
    /// Answers given in advance: field → value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prefill: BTreeMap<String, Value>,
    /// Fields, or whole blocks, whose prefilled answer cannot be changed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub locked: BTreeSet<String>,
    /// Fields, or whole blocks, that are not asked (and keep their prefilled answer, if any).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden: BTreeSet<String>,
    /// Only these scopes are offered; empty: all of the definition's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// A complete valid set of answers, where the one made from the fields does not do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub example: BTreeMap<String, Value>,
}

/// A software vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    pub name: String,
    pub siret: Siret,
}

/// A field of a form, and what the form says of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AskedField {
    pub block: String,
    #[serde(flatten)]
    pub field: Field,
    pub locked: bool,
    pub hidden: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill: Option<Value>,
}

impl Definition {
    #[must_use]
    pub fn form(&self, slug: &Slug) -> Option<&Form> {
        self.forms.iter().find(|form| form.slug == *slug)
    }

    /// The first stage to ask for, where the definition has stages.
    #[must_use]
    pub fn first_stage(&self) -> Option<Stage> {
        self.stages.first().copied()
    }

    /// The stage that follows.
    #[must_use]
    pub fn next_stage(&self, stage: Stage) -> Option<Stage> {
        let place = self.stages.iter().position(|held| *held == stage)?;
        self.stages.get(place + 1).copied()
    }

    /// Every field of a stage in order, with the name of its block.
    #[must_use]
    pub fn fields(&self, stage: Option<Stage>) -> Vec<(&str, Field)> {
        self.blocks
            .iter()
            .filter(|block| block.stage().is_none() || stage.is_none() || block.stage() == stage)
            .flat_map(|block| field::of_block(self, block).into_iter().map(|field| (block.name(), field)))
            .collect()
    }

    /// The fields as one form asks them.
    #[must_use]
    pub fn asked(&self, form: &Form, stage: Option<Stage>) -> Vec<AskedField> {
        let names = |set: &BTreeSet<String>, block: &str, field: &str| set.contains(block) || set.contains(field);
        self.fields(stage)
            .into_iter()
            .map(|(block, mut field)| {
                if let FieldKind::Scopes { offered } = &mut field.kind
                    && !form.scopes.is_empty()
                {
                    offered.retain(|scope| form.scopes.contains(scope) || self.is_included(scope));
                }
                AskedField {
                    locked: names(&form.locked, block, &field.id),
                    hidden: names(&form.hidden, block, &field.id),
                    prefill: form.prefill.get(&field.id).cloned(),
                    block: block.to_owned(),
                    field,
                }
            })
            .collect()
    }

    fn is_included(&self, scope: &Scope) -> bool {
        self.scopes.iter().any(|offer| offer.included && offer.value == *scope)
    }
}
