//! Organisations as people join them, follow their wishes, invite and leave; and what the operator decides and sets.

use octroi_app::{
    Error,
    joining::{JoinInput, JoinedView, JoiningView},
    moderation::{ModerationView, Verdict},
    organizations::{FoundOrganization, MemberInvitationView, MemberOrganization, OrganizationProfile, OwnOrganizations, StandingView},
    query::Page,
    view::{List, OrganizationView},
};
use octroi_domain::{
    Id,
    joining::{DomainState, Joining, JoiningState, MemberInvitation},
    organization::{Organization, RegistryId},
    user::LinkLevel,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::call::{Answer, Call, Reply};

/// Find an organisation by its number
///
/// A SIRET, or the number of a register abroad (`BE:national:0203201340`). `standing.state` says how far it is to be believed.
#[utoipa::path(get, path = "/api/v1/directory/{number}", tag = "organizations", params(("number" = String, Path, example = "13002526500013")), responses((status = 200, body = FoundOrganization)))]
pub async fn find(call: Call) -> Answer {
    let number: RegistryId = call.id("number")?;
    Reply::ok(&call.app().find_organization(&call.context(), &number).await?)
}

/// Where one belongs, by what proof, and where one asked to
#[utoipa::path(get, path = "/api/v1/me/organizations", tag = "organizations", responses((status = 200, body = OwnOrganizations)))]
pub async fn mine(call: Call) -> Answer {
    Reply::ok(&call.app().my_organizations(&call.context()).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewJoining)]
pub struct Join {
    /// A SIRET, or the number of a register abroad.
    #[schema(value_type = String, example = "13002526500013")]
    number: RegistryId,
    /// Needed where no directory gives a name.
    name: Option<String>,
    /// `true` goes on after the answer `needs_confirmation`.
    #[serde(default)]
    confirmed: bool,
    /// To whoever decides, at most 2,000 characters.
    #[serde(default)]
    note: String,
}

/// Join an organisation, or ask to
///
/// 201: linked, at the `level` that one's address proves. 202: it waits for a code, a member or the operator, as the wish `joining` says.
/// 200: nothing was done, and it has to be `confirmed`.
#[utoipa::path(post, path = "/api/v1/joinings", tag = "organizations", request_body = Join, responses((status = 200, body = JoinedView), (status = 201, body = JoinedView), (status = 202, body = JoinedView), (status = 429, description = "Too many wishes, or questions to the directory")))]
pub async fn join(call: Call, input: Join) -> Answer {
    let input = JoinInput { number: input.number, name: input.name, confirmed: input.confirmed, note: input.note };
    Reply::done(call.app().join_organization(&call.context(), input).await?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Joinings {
    /// `pending`, `accepted`, `refused` or `cancelled`; left out: all of them.
    #[param(value_type = Option<String>)]
    state: Option<JoiningState>,
}

/// List the wishes to join, by the operator, the newest first
#[utoipa::path(get, path = "/api/v1/joinings", tag = "organizations", params(Joinings, crate::query::Paging), responses((status = 200, body = List<JoiningView>)))]
pub async fn list(call: Call, input: Joinings, page: Page) -> Answer {
    Reply::ok(&call.app().list_joinings(&call.context(), input.state, page).await?)
}

/// Read a wish: one's own, or one that one may vouch for
#[utoipa::path(get, path = "/api/v1/joinings/{id}", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = JoiningView)))]
pub async fn read(call: Call) -> Answer {
    let id: Id<Joining> = call.id("id")?;
    let context = call.context();
    match call.app().read_joining(&context, id).await {
        Err(Error::NotFound) => Reply::ok(&call.app().read_wish(&context, id).await?),
        found => Reply::ok(&found?),
    }
}

/// Take a wish back
#[utoipa::path(post, path = "/api/v1/joinings/{id}/cancel", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = JoiningView)))]
pub async fn cancel(call: Call) -> Answer {
    Reply::done(call.app().cancel_joining(&call.context(), call.id("id")?).await?)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReopenedJoining)]
pub struct Note {
    #[serde(default)]
    note: String,
}

/// Ask again after a refusal that may be mended
#[utoipa::path(post, path = "/api/v1/joinings/{id}/reopen", tag = "organizations", params(("id" = String, Path)), request_body = Note, responses((status = 200, body = JoiningView)))]
pub async fn reopen(call: Call, input: Note) -> Answer {
    Reply::done(call.app().reopen_joining(&call.context(), call.id("id")?, &input.note).await?)
}

/// Send a code to the organisation's official contact
#[utoipa::path(post, path = "/api/v1/joinings/{id}/send-code", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = JoiningView), (status = 429, description = "Too many codes for this organisation")))]
pub async fn send_code(call: Call) -> Answer {
    Reply::done(call.app().send_join_code(&call.context(), call.id("id")?).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JoiningCode)]
pub struct Code {
    #[schema(example = "0123 456 789")]
    code: String,
}

/// Give the code that the official contact received: linked when it is right
#[utoipa::path(post, path = "/api/v1/joinings/{id}/code", tag = "organizations", params(("id" = String, Path)), request_body = Code, responses((status = 200, body = JoiningView), (status = 429, description = "Too many codes were tried")))]
pub async fn enter_code(call: Call, input: Code) -> Answer {
    Reply::done(call.app().enter_join_code(&call.context(), call.id("id")?, &input.code).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Email)]
pub struct Address {
    #[schema(example = "nom@exemple.fr")]
    email: String,
}

/// Ask a member to vouch
///
/// The answer does not tell whether the address is a member's.
#[utoipa::path(post, path = "/api/v1/joinings/{id}/sponsor", tag = "organizations", params(("id" = String, Path)), request_body = Address, responses((status = 200, body = JoiningView), (status = 429, description = "Too many members were asked")))]
pub async fn sponsor(call: Call, input: Address) -> Answer {
    Reply::done(call.app().name_sponsor(&call.context(), call.id("id")?, &input.email).await?)
}

/// Vouch for somebody, as a member
#[utoipa::path(post, path = "/api/v1/joinings/{id}/vouch", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = JoiningView)))]
pub async fn vouch(call: Call) -> Answer {
    Reply::done(call.app().vouch(&call.context(), call.id("id")?).await?)
}

/// Read a wish with what it is judged by, as the operator
#[utoipa::path(get, path = "/api/v1/joinings/{id}/moderation", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = ModerationView)))]
pub async fn moderation(call: Call) -> Answer {
    Reply::ok(&call.app().moderate(&call.context(), call.id("id")?).await?)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptedJoining)]
pub struct Accept {
    /// `unverified`, `verified` (when left out) or `certified`.
    #[schema(value_type = Option<String>)]
    level: Option<LinkLevel>,
    /// Works for the organisation without being of it.
    #[serde(default)]
    external: bool,
    /// The domain of the address is theirs from now on.
    #[serde(default)]
    allow_domain: bool,
    #[serde(default)]
    message: String,
}

/// Grant a wish, as the operator
#[utoipa::path(post, path = "/api/v1/joinings/{id}/accept", tag = "organizations", params(("id" = String, Path)), request_body = Accept, responses((status = 200, body = JoiningView)))]
pub async fn accept(call: Call, input: Accept) -> Answer {
    let verdict = Verdict::Accept {
        level: input.level.unwrap_or(LinkLevel::Verified),
        external: input.external,
        allow_domain: input.allow_domain,
        message: input.message,
    };
    Reply::done(call.app().decide_joining(&call.context(), call.id("id")?, verdict).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefusedJoining)]
pub struct Refuse {
    /// The reason, which the person reads.
    message: String,
    /// The person may mend it and ask again.
    #[serde(default)]
    may_reopen: bool,
}

/// Refuse a wish, as the operator
#[utoipa::path(post, path = "/api/v1/joinings/{id}/refuse", tag = "organizations", params(("id" = String, Path)), request_body = Refuse, responses((status = 200, body = JoiningView)))]
pub async fn refuse(call: Call, input: Refuse) -> Answer {
    let verdict = Verdict::Refuse { message: input.message, may_reopen: input.may_reopen };
    Reply::done(call.app().decide_joining(&call.context(), call.id("id")?, verdict).await?)
}

/// Read an organisation as its members see it
///
/// Members, who waits and invitations are shown to those alone whose own link is sure.
#[utoipa::path(get, path = "/api/v1/organizations/{id}/members", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = MemberOrganization)))]
pub async fn members(call: Call) -> Answer {
    Reply::ok(&call.app().member_organization(&call.context(), call.id("id")?).await?)
}

/// Leave an organisation
#[utoipa::path(post, path = "/api/v1/organizations/{id}/leave", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
pub async fn leave(call: Call) -> Answer {
    Reply::done(call.app().leave_organization(&call.context(), call.id("id")?).await?)
}

/// Invite an address to an organisation, as a member
///
/// The mail holds the only copy of the word that accepts it. It works once, for 15 days, for who signs in with this address.
#[utoipa::path(post, path = "/api/v1/organizations/{id}/invitations", tag = "organizations", params(("id" = String, Path)), request_body = Address, responses((status = 201, body = MemberInvitationView)))]
pub async fn invite(call: Call, input: Address) -> Answer {
    Reply::done(call.app().invite_member(&call.context(), call.id("id")?, &input.email).await?)
}

/// Take back an invitation to an organisation that nobody has accepted
#[utoipa::path(delete, path = "/api/v1/organizations/{id}/invitations/{invitation}", tag = "organizations", params(("id" = String, Path), ("invitation" = String, Path)), responses((status = 200, body = MemberInvitationView)))]
pub async fn withdraw(call: Call) -> Answer {
    let (id, invitation): (Id<Organization>, Id<MemberInvitation>) = (call.id("id")?, call.id("invitation")?);
    Reply::done(call.app().withdraw_member_invitation(&call.context(), id, invitation).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptMemberInvitation)]
pub struct Word {
    /// The word that the link in the mail ends with.
    word: String,
}

/// Accept an invitation to an organisation: linked at once
#[utoipa::path(post, path = "/api/v1/member-invitations/accept", tag = "organizations", request_body = Word, responses((status = 200, body = OrganizationView)))]
pub async fn accept_invitation(call: Call, input: Word) -> Answer {
    Reply::done(call.app().accept_member_invitation(&call.context(), &input.word).await?)
}

/// Read what the operator knows and sets of an organisation
#[utoipa::path(get, path = "/api/v1/organizations/{id}/profile", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = OrganizationProfile)))]
pub async fn profile(call: Call) -> Answer {
    let id = call.id("id")?;
    profile_of(&call, id).await
}

async fn profile_of(call: &Call, id: Id<Organization>) -> Answer {
    Reply::ok(&call.app().organization_profile(&call.context(), id).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationDomain)]
pub struct Domain {
    #[schema(example = "exemple.fr")]
    domain: String,
    /// `verified`, `official_contact`, `external`, `not_verified_yet` or `refused`; left out: nothing is known of it any more.
    #[schema(value_type = Option<String>)]
    state: Option<DomainState>,
}

/// Say what an e-mail domain is to an organisation, as the operator
#[utoipa::path(put, path = "/api/v1/organizations/{id}/domains", tag = "organizations", params(("id" = String, Path)), request_body = Domain, responses((status = 200, body = OrganizationProfile)))]
pub async fn set_domain(call: Call, input: Domain) -> Answer {
    let id = call.id("id")?;
    call.app().set_domain(&call.context(), id, &input.domain, input.state).await?;
    profile_of(&call, id).await
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OfficialContact)]
pub struct Contact {
    /// Left out: the directory's, if it has one.
    #[schema(example = "mairie@exemple.fr")]
    official_contact: Option<String>,
}

/// Set the address that stands for an organisation, as the operator
#[utoipa::path(put, path = "/api/v1/organizations/{id}/contact", tag = "organizations", params(("id" = String, Path)), request_body = Contact, responses((status = 200, body = OrganizationProfile)))]
pub async fn set_contact(call: Call, input: Contact) -> Answer {
    let id = call.id("id")?;
    call.app().set_official_contact(&call.context(), id, input.official_contact.as_deref()).await?;
    profile_of(&call, id).await
}

/// Ask the directory about an organisation now, as the operator
#[utoipa::path(post, path = "/api/v1/organizations/{id}/refresh", tag = "organizations", params(("id" = String, Path)), responses((status = 200, body = StandingView)))]
pub async fn refresh(call: Call) -> Answer {
    Reply::ok(&call.app().refresh_organization(&call.context(), call.id("id")?).await?)
}
