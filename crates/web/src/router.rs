//! Every route, on one page: method, path, the action that it is for, and its handler.
//!
//! A route cannot be written without an action, and the policy denies an action that nobody is
//! given: forgetting a rule closes the door.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawPathParams, Request},
    http::Method,
    middleware,
    routing::any,
};
use octroi_domain::policy::Action;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::{
        access_requests, account as own_account, applications, catalogue, clients, connected, connections, credentials, dev, invitations,
        ledger, messages, organizations as joined, people, permits, platform, products, register, session, statistics, subscriptions,
        traces,
    },
    dispatch::{self, Handler, open, paged, plain, with_body, with_optional_body, with_query},
    oidc::{
        connections as upstream, form as oauth, introspect, jwks, metadata, pushed, register as client_registration, revoke, token,
        userinfo,
    },
    openapi,
    product::{self, choice as product_choice, session as product_session},
    state::{Shared, WebState},
    ui::{
        account, account_applications, account_factors, admin_api, admin_masks, admin_subscribers, admin_traffic, api_page,
        application_start, application_subscriptions, application_usage, applications as ui_applications, assets,
        catalogue as ui_catalogue, connections as ui_connections, credentials as ui_credentials, dashboard, dev as ui_dev, dev_mail,
        hand_off, home, invitations as ui_invitations, joining, legal, moderation, operator, operator_catalogue, operator_client_form,
        operator_clients, operator_connections, operator_ledger, operator_people, operator_products, organizations, permit, permit_moves,
        register as ui_register, request, request_form, request_summary, review, reviewing, second_factor, serve::page,
        session as ui_session, sign_in_ways, sign_on, sign_on_logout, sign_up, start, statistics as ui_statistics, traces as ui_traces,
        try_it,
    },
};

/// One route.
#[derive(Clone)]
pub struct Route {
    pub method: Method,
    /// With `{name}` for what varies.
    pub path: &'static str,
    pub action: Action,
    pub(crate) handler: Handler,
    /// Does the resource have a version that `If-Match` can name?
    pub(crate) versioned: bool,
}
impl Route {
    fn versioned(self) -> Self {
        Self { versioned: true, ..self }
    }
}

const fn route(method: Method, path: &'static str, action: Action, handler: Handler) -> Route {
    Route { method, path, action, handler, versioned: false }
}
const fn get(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::GET, path, action, handler)
}
const fn post(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::POST, path, action, handler)
}
const fn put(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::PUT, path, action, handler)
}
const fn patch(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::PATCH, path, action, handler)
}
const fn delete(path: &'static str, action: Action, handler: Handler) -> Route {
    route(Method::DELETE, path, action, handler)
}

/// Every route there is.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    use Action as A;
    vec![
        // Pages: everybody's.
        get("/", A::ReadPublic, page(home::show)),
        get("/provide", A::ReadPublic, page(home::provide)),
        get("/my-data", A::ReadPublic, page(home::my_data)),
        get("/apis", A::ReadPublic, page(ui_catalogue::show)),
        get("/apis/{provider}/{api}", A::ReadPublic, page(api_page::show)),
        get("/apis/{provider}/{api}/reference", A::ReadPublic, page(api_page::reference)),
        get("/apis/{provider}/{api}/try", A::ReadPublic, page(try_it::show)),
        post("/apis/{provider}/{api}/try", A::TryApi, page(try_it::send)),
        get("/register", A::ReadPublic, page(ui_register::show)),
        get("/register.csv", A::ReadPublic, open(register::csv)),
        get("/statistics", A::ReadPublic, page(ui_statistics::show)),
        get("/legal", A::ReadPublic, page(legal::notices)),
        get("/accessibility", A::ReadPublic, page(legal::accessibility)),
        get("/sign-in", A::ReadPublic, page(ui_session::show)),
        post("/sign-in", A::SignIn, page(ui_session::sign_in)),
        post("/sign-in/mail", A::SignIn, page(sign_in_ways::ask_mail)),
        get("/sign-in/mail", A::ReadPublic, page(sign_in_ways::mail)),
        post("/sign-in/mail/code", A::SignIn, page(sign_in_ways::mail_code)),
        get("/sign-in/link/{word}", A::ReadPublic, page(sign_in_ways::link)),
        post("/sign-in/link/{word}", A::SignIn, page(sign_in_ways::open_link)),
        post("/sign-in/passkey/options", A::SignIn, page(sign_in_ways::passkey_options)),
        post("/sign-in/passkey", A::SignIn, page(sign_in_ways::passkey)),
        get("/sign-in/second-factor", A::ReadPublic, page(second_factor::show)),
        post("/sign-in/second-factor", A::SignIn, page(second_factor::code)),
        post("/sign-in/second-factor/passkey", A::SignIn, page(second_factor::passkey)),
        get("/sign-in/again", A::ReadSelf, page(second_factor::again)),
        post("/sign-in/again", A::ManageAccount, page(second_factor::again_password)),
        post("/sign-in/again/mail", A::ManageAccount, page(second_factor::again_mail)),
        post("/sign-in/again/code", A::ManageAccount, page(second_factor::again_code)),
        get("/sign-in/existing-account", A::SignIn, page(ui_connections::existing)),
        post("/sign-in/existing-account", A::SignIn, page(ui_connections::confirm_existing)),
        get("/auth/{connection}/login", A::SignIn, page(ui_connections::login)),
        get("/auth/{connection}/login/", A::SignIn, page(ui_connections::login)),
        get("/auth/{connection}/callback", A::SignIn, page(ui_connections::callback)),
        get("/auth/{connection}/logged-out", A::ReadPublic, page(ui_connections::logged_out)),
        get("/auth/{connection}/jwks", A::UseOAuthEndpoint, open(upstream::jwks)),
        post("/auth/{connection}/backchannel-logout", A::UseOAuthEndpoint, open(upstream::backchannel_logout)),
        get("/sign-up", A::ReadPublic, page(sign_up::show)),
        post("/sign-up", A::SignIn, page(sign_up::ask)),
        get("/sign-up/code", A::ReadPublic, page(sign_up::code)),
        post("/sign-up/code", A::SignIn, page(sign_up::prove)),
        get("/sign-up/finish", A::ReadPublic, page(sign_up::finish)),
        post("/sign-up/finish", A::SignIn, page(sign_up::open)),
        get("/reset-password", A::ReadPublic, page(sign_up::reset)),
        post("/reset-password", A::SignIn, page(sign_up::ask_reset)),
        get("/reset-password/{word}", A::ReadPublic, page(sign_up::choose)),
        post("/reset-password/{word}", A::SignIn, page(sign_up::chosen)),
        // Pages: one's own account.
        get("/account", A::ReadSelf, page(account::show)),
        get("/account/name", A::ReadSelf, page(account::name)),
        post("/account/name", A::ManageAccount, page(account::rename)),
        get("/account/email", A::ReadSelf, page(account::email)),
        post("/account/email", A::ManageAccount, page(account::ask_email)),
        get("/account/email/code", A::ReadSelf, page(account::email_code)),
        post("/account/email/code", A::ManageAccount, page(account::confirm_email)),
        get("/account/password", A::ReadSelf, page(account::password)),
        post("/account/password", A::ManageAccount, page(account::change_password)),
        get("/account/passkeys", A::ReadSelf, page(account_factors::passkeys)),
        post("/account/passkeys", A::ManageAccount, page(account_factors::add_passkey)),
        post("/account/passkeys/options", A::ManageAccount, page(account_factors::passkey_options)),
        get("/account/passkeys/{id}", A::ReadSelf, page(account_factors::passkey)),
        post("/account/passkeys/{id}", A::ManageAccount, page(account_factors::rename_passkey)),
        post("/account/passkeys/{id}/delete", A::ManageAccount, page(account_factors::delete_passkey)),
        get("/account/second-factor", A::ReadSelf, page(account_factors::second_factor)),
        post("/account/totp/begin", A::ManageAccount, page(account_factors::begin_totp)),
        get("/account/totp", A::ReadSelf, page(account_factors::totp)),
        post("/account/totp", A::ManageAccount, page(account_factors::confirm_totp)),
        get("/account/totp/remove", A::ReadSelf, page(account_factors::ask_remove_totp)),
        post("/account/totp/remove", A::ManageAccount, page(account_factors::remove_totp)),
        post("/account/recovery-codes", A::ManageAccount, page(account_factors::renew_recovery)),
        get("/account/identities", A::ReadSelf, page(ui_connections::identities)),
        post("/account/identities/link", A::ManageAccount, page(ui_connections::link)),
        post("/account/identities/{id}/unlink", A::ManageAccount, page(ui_connections::unlink)),
        get("/account/sessions", A::ReadSelf, page(account::sessions)),
        post("/account/sessions/end-others", A::ManageAccount, page(account::end_others)),
        post("/account/sessions/{id}/end", A::ManageAccount, page(account::end_session)),
        get("/account/applications", A::ReadSelf, page(account_applications::show)),
        get("/account/applications/{client}/disconnect", A::ReadSelf, page(account_applications::ask)),
        post("/account/applications/{client}/disconnect", A::ManageAccount, page(account_applications::disconnect)),
        get("/account/delete", A::ReadSelf, page(account::ask_delete)),
        post("/account/delete", A::ManageAccount, page(account::delete)),
        post("/sign-out", A::SignOut, page(ui_session::sign_out)),
        post("/language", A::ChooseLanguage, page(ui_session::language)),
        // Pages: who applies.
        get("/dashboard", A::ReadSelf, page(dashboard::show)),
        get("/start", A::ReadPublic, page(start::show)),
        get("/start/helper", A::ReadPublic, page(start::helper)),
        get("/start/{definition}", A::ReadPublic, page(start::forms)),
        get("/start/{definition}/{form}", A::ReadPublic, page(start::form)),
        post("/start/{definition}/{form}", A::CreateRequest, page(start::begin)),
        get("/access-requests", A::ListRequests, page(dashboard::my_requests)),
        get("/access-requests/{id}", A::ReadRequest, page(request::show)),
        get("/access-requests/{id}/steps/{n}", A::ReadRequest, page(request_form::show)),
        post("/access-requests/{id}/steps/{n}", A::EditRequest, page(request_form::fill)),
        get("/access-requests/{id}/summary", A::ReadRequest, page(request_summary::show)),
        post("/access-requests/{id}/submit", A::SubmitRequest, page(request_summary::submit)),
        get("/access-requests/{id}/messages", A::ReadRequest, page(request::messages)),
        post("/access-requests/{id}/messages", A::WriteMessage, page(request::send)),
        get("/access-requests/{id}/archive", A::ReadRequest, page(request::ask_archive)),
        post("/access-requests/{id}/archive", A::ArchiveRequest, page(request::archive)),
        get("/access-requests/{id}/transfer", A::ReadRequest, page(request::ask_transfer)),
        post("/access-requests/{id}/transfer", A::TransferRequest, page(request::transfer)),
        get("/permits", A::ListPermits, page(dashboard::my_permits)),
        get("/permits/{id}", A::ReadPermit, page(permit::show)),
        get("/permits/{id}/receipt", A::ReadPermit, page(permit::receipt)),
        get("/permits/{id}/amend", A::AmendPermit, page(permit::ask_amend)),
        post("/permits/{id}/amend", A::AmendPermit, page(permit::amend)),
        get("/permits/{id}/next-stage", A::AmendPermit, page(permit::ask_next_stage)),
        post("/permits/{id}/next-stage", A::AmendPermit, page(permit::next_stage)),
        // Pages: organisations, and joining them.
        get("/organizations", A::ReadSelf, page(organizations::mine)),
        get("/organizations/join", A::JoinOrganization, page(organizations::find)),
        post("/organizations/join", A::JoinOrganization, page(organizations::join)),
        get("/organizations/joining/{id}", A::JoinOrganization, page(joining::show)),
        post("/organizations/joining/{id}/send-code", A::JoinOrganization, page(joining::send_code)),
        post("/organizations/joining/{id}/code", A::JoinOrganization, page(joining::enter_code)),
        post("/organizations/joining/{id}/sponsor", A::JoinOrganization, page(joining::sponsor)),
        post("/organizations/joining/{id}/cancel", A::JoinOrganization, page(joining::cancel)),
        post("/organizations/joining/{id}/reopen", A::JoinOrganization, page(joining::reopen)),
        get("/organizations/joining/{id}/confirm", A::VouchForMember, page(joining::ask_vouch)),
        post("/organizations/joining/{id}/confirm", A::VouchForMember, page(joining::vouch)),
        get("/organizations/invitations/{word}", A::JoinOrganization, page(joining::invitation)),
        post("/organizations/invitations/{word}", A::JoinOrganization, page(joining::accept)),
        get("/organizations/{id}", A::ReadOrganization, page(organizations::show)),
        post("/organizations/{id}/use", A::ReadOrganization, page(organizations::choose)),
        get("/organizations/{id}/leave", A::LeaveOrganization, page(organizations::ask_leave)),
        post("/organizations/{id}/leave", A::LeaveOrganization, page(organizations::leave)),
        post("/organizations/{id}/invitations", A::VouchForMember, page(organizations::invite)),
        post("/organizations/{id}/invitations/{invitation}/withdraw", A::VouchForMember, page(organizations::withdraw)),
        // Pages: addresses of before.
        get("/users/join-organization", A::ReadPublic, page(organizations::former_join)),
        get("/users/personal-information", A::ReadPublic, page(organizations::former_account)),
        get("/users/verify-email", A::ReadPublic, page(organizations::former_verification)),
        get("/manage-organizations", A::ReadPublic, page(organizations::former_mine)),
        // Pages: reviewers and managers.
        get("/review", A::ListRequests, page(review::requests)),
        get("/review/permits", A::ListPermits, page(review::permits)),
        get("/access-requests/{id}/review", A::ReviewRequest, page(reviewing::show)),
        post("/access-requests/{id}/review", A::ReviewRequest, page(reviewing::decide)),
        get("/permits/{id}/suspend", A::SuspendPermit, page(permit_moves::ask_suspend)),
        post("/permits/{id}/suspend", A::SuspendPermit, page(permit_moves::suspend)),
        get("/permits/{id}/resume", A::ResumePermit, page(permit_moves::ask_resume)),
        post("/permits/{id}/resume", A::ResumePermit, page(permit_moves::resume)),
        get("/permits/{id}/revoke", A::RevokePermit, page(permit_moves::ask_revoke)),
        post("/permits/{id}/revoke", A::RevokePermit, page(permit_moves::revoke)),
        // Pages: managers' roles, and the operator.
        get("/manage/roles", A::ManageRoles, page(operator_people::managed)),
        get("/manage/roles/{slug}", A::ManageRoles, page(operator_people::holders)),
        post("/manage/roles/{slug}", A::ManageRoles, page(operator_people::manage)),
        get("/operator", A::ManagePlatform, page(operator::overview)),
        get("/operator/organizations", A::ManagePlatform, page(operator_people::organizations)),
        get("/operator/organizations/new", A::ManagePlatform, page(operator_people::new_organization)),
        post("/operator/organizations/new", A::ManagePlatform, page(operator_people::create_organization)),
        get("/operator/organizations/{id}", A::ManagePlatform, page(operator_people::organization)),
        post("/operator/organizations/{id}/domains", A::ManagePlatform, page(moderation::set_domain)),
        post("/operator/organizations/{id}/contact", A::ManagePlatform, page(moderation::set_contact)),
        post("/operator/organizations/{id}/refresh", A::ManagePlatform, page(moderation::refresh)),
        get("/operator/joining", A::ManagePlatform, page(moderation::queue)),
        get("/operator/joining/{id}", A::ManagePlatform, page(moderation::show)),
        post("/operator/joining/{id}", A::ManagePlatform, page(moderation::decide)),
        get("/operator/connections/{slug}/accounts", A::ManagePlatform, page(operator_products::accounts)),
        post("/operator/connections/{slug}/accounts/{id}/{step}", A::ManagePlatform, page(operator_products::change)),
        get("/operator/connections/{slug}/legacy-users", A::ManagePlatform, page(operator_products::legacy)),
        post("/operator/connections/{slug}/legacy-disputes/{id}/{step}", A::ManagePlatform, page(operator_products::decide)),
        get("/operator/people", A::ManagePlatform, page(operator_people::people)),
        get("/operator/people/new", A::ManagePlatform, page(operator_people::new_person)),
        post("/operator/people/new", A::ManagePlatform, page(operator_people::create_person)),
        get("/operator/people/{id}", A::ManagePlatform, page(operator_people::person)),
        post("/operator/people/{id}/organizations", A::ManagePlatform, page(operator_people::link)),
        post("/operator/people/{id}/roles", A::ManageRoles, page(operator_people::set_role)),
        get("/operator/apis", A::ManagePlatform, page(operator_catalogue::apis)),
        get("/operator/definitions", A::ManagePlatform, page(operator_catalogue::definitions)),
        get("/operator/definitions/{slug}", A::ManagePlatform, page(operator_catalogue::definition)),
        get("/operator/connections", A::ManagePlatform, page(operator_connections::list)),
        get("/operator/connections/new", A::ManagePlatform, page(operator_connections::new)),
        post("/operator/connections/new", A::ManagePlatform, page(operator_connections::create)),
        get("/operator/connections/{slug}", A::ManagePlatform, page(operator_connections::show)),
        get("/operator/connections/{slug}/edit", A::ManagePlatform, page(operator_connections::edit)),
        post("/operator/connections/{slug}/edit", A::ManagePlatform, page(operator_connections::change)),
        get("/operator/connections/{slug}/delete", A::ManagePlatform, page(operator_connections::ask_delete)),
        post("/operator/connections/{slug}/delete", A::ManagePlatform, page(operator_connections::delete)),
        post("/operator/connections/{slug}/links/{id}", A::ManagePlatform, page(operator_connections::decide)),
        get("/operator/clients", A::ManagePlatform, page(operator_clients::list)),
        get("/operator/clients/new", A::ManagePlatform, page(operator_client_form::new)),
        post("/operator/clients/new", A::ManagePlatform, page(operator_client_form::create)),
        get("/operator/clients/{id}", A::ManagePlatform, page(operator_clients::show)),
        get("/operator/clients/{id}/edit", A::ManagePlatform, page(operator_client_form::edit)),
        post("/operator/clients/{id}/edit", A::ManagePlatform, page(operator_client_form::change)),
        post("/operator/clients/{id}/suspend", A::ManagePlatform, page(operator_clients::suspend)),
        post("/operator/clients/{id}/resume", A::ManagePlatform, page(operator_clients::resume)),
        post("/operator/clients/{id}/secret", A::ManagePlatform, page(operator_clients::replace_secret)),
        get("/operator/outbox", A::ManagePlatform, page(operator::outbox)),
        post("/operator/outbox/retry-failed", A::ManagePlatform, page(operator::retry_failed)),
        post("/operator/outbox/{id}/retry", A::ManagePlatform, page(operator::retry)),
        get("/operator/ledger", A::ReadLedger, page(operator_ledger::show)),
        get("/operator/ledger/verifications", A::ReadLedger, page(operator_ledger::verifications)),
        post("/operator/ledger/verify", A::ManagePlatform, page(operator_ledger::verify)),
        get("/operator/settings", A::ManagePlatform, page(operator::settings)),
        get("/operator/health", A::ManagePlatform, page(operator::health)),
        // Pages: who calls.
        get("/applications", A::ListApplications, page(ui_applications::list)),
        get("/applications/new", A::ListApplications, page(ui_applications::new)),
        post("/applications/new", A::CreateApplication, page(ui_applications::create)),
        get("/applications/{id}", A::ReadApplication, page(ui_applications::show)),
        get("/applications/{id}/usage", A::ReadApplication, page(application_usage::show)),
        get("/applications/{id}/start", A::ReadApplication, page(application_start::show)),
        get("/applications/{id}/suspend", A::ReadApplication, page(ui_applications::ask_suspend)),
        post("/applications/{id}/suspend", A::SuspendApplication, page(ui_applications::suspend)),
        post("/applications/{id}/resume", A::SuspendApplication, page(ui_applications::resume)),
        get("/applications/{id}/subscribe", A::ReadApplication, page(application_subscriptions::show)),
        post("/applications/{id}/subscribe", A::Subscribe, page(application_subscriptions::subscribe)),
        get("/applications/{id}/subscriptions/{subscription}/end", A::ReadApplication, page(application_subscriptions::ask_end)),
        post("/applications/{id}/subscriptions/{subscription}/end", A::EndSubscription, page(application_subscriptions::end)),
        get("/applications/{id}/subscriptions/{subscription}/terms", A::ReadApplication, page(application_subscriptions::ask_terms)),
        post("/applications/{id}/subscriptions/{subscription}/terms", A::Subscribe, page(application_subscriptions::accept_terms)),
        get("/applications/{id}/credentials/new", A::ReadApplication, page(ui_credentials::new)),
        post("/applications/{id}/credentials", A::CreateCredential, page(ui_credentials::create)),
        get("/applications/{id}/credentials/{credential}/replace", A::ReadApplication, page(ui_credentials::replace)),
        get("/applications/{id}/credentials/{credential}/revoke", A::ReadApplication, page(ui_credentials::ask_revoke)),
        post("/applications/{id}/credentials/{credential}/revoke", A::RevokeCredential, page(ui_credentials::revoke)),
        get("/invitations/{word}", A::AcceptInvitation, page(ui_invitations::show)),
        post("/invitations/{word}", A::AcceptInvitation, page(ui_invitations::accept)),
        get("/traces", A::ReadTraces, page(ui_traces::list)),
        get("/traces/anonymise", A::AnonymiseTraces, page(ui_traces::ask_anonymise)),
        post("/traces/anonymise", A::AnonymiseTraces, page(ui_traces::anonymise)),
        // Pages: who administers an API.
        get("/admin/apis", A::AdministerApi, page(admin_api::list)),
        get("/admin/apis/{provider}/{api}", A::AdministerApi, page(admin_api::show)),
        get("/admin/apis/{provider}/{api}/masks", A::AdministerApi, page(admin_masks::show)),
        get("/admin/apis/{provider}/{api}/subscribers", A::AdministerApi, page(admin_subscribers::show)),
        get("/admin/apis/{provider}/{api}/traffic", A::AdministerApi, page(admin_traffic::show)),
        post("/admin/apis/{provider}/{api}/enrol", A::DecideSubscription, page(admin_subscribers::enrol)),
        post("/admin/apis/{provider}/{api}/invite", A::AdministerApi, page(admin_subscribers::invite)),
        post("/admin/apis/{provider}/{api}/invitations/{invitation}/withdraw", A::AdministerApi, page(admin_subscribers::withdraw)),
        get("/admin/apis/{provider}/{api}/subscriptions/{subscription}/{move}", A::AdministerApi, page(admin_subscribers::ask)),
        post("/admin/apis/{provider}/{api}/subscriptions/{subscription}/{move}", A::DecideSubscription, page(admin_subscribers::act)),
        // Pages: of the demo.
        get("/dev/components", A::ReadDevMailbox, page(ui_dev::components)),
        get("/dev/mailbox", A::ReadDevMailbox, page(dev_mail::mailbox)),
        get("/dev/mailbox/{id}", A::ReadDevMailbox, page(dev_mail::delivered)),
        get("/dev/mailbox/{id}/html", A::ReadDevMailbox, page(dev_mail::delivered_html)),
        get("/dev/mails", A::ReadDevMailbox, page(dev_mail::all)),
        get("/dev/mails/{language}/{name}", A::ReadDevMailbox, page(dev_mail::sample)),
        get("/dev/mails/{language}/{name}/html", A::ReadDevMailbox, page(dev_mail::sample_html)),
        // Files.
        get("/assets/{hash}/{name}", A::ReadPublic, open(assets::show)),
        get("/api/docs", A::ReadPublic, open(openapi::reader)),
        get("/api/docs/", A::ReadPublic, open(openapi::reader_file)),
        get("/api/docs/{file}", A::ReadPublic, open(openapi::reader_file)),
        // OAuth 2. The aliases are those of PISTE and of api-auth.
        post("/oauth/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/api/oauth/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/token", A::UseOAuthEndpoint, open(token::issue)),
        post("/oauth/introspect", A::UseOAuthEndpoint, open(introspect::answer)),
        post("/oauth/token/introspection", A::UseOAuthEndpoint, open(introspect::answer)),
        post("/oauth/revoke", A::UseOAuthEndpoint, open(revoke::revoke)),
        get("/oauth/jwks", A::ReadPublic, open(jwks::show)),
        get("/.well-known/openid-configuration", A::ReadPublic, open(metadata::show)),
        // The sign-on. Browsers of other sites may ask the addresses that look at no cookie.
        get("/oauth/authorize", A::ReadPublic, page(sign_on::authorize)),
        post("/oauth/authorize", A::UseOAuthEndpoint, open(pushed::authorize)),
        get("/authorize", A::ReadPublic, page(sign_on::authorize)),
        post("/authorize", A::UseOAuthEndpoint, open(pushed::authorize)),
        get("/oauth/authorize/{word}", A::ReadPublic, page(sign_on::show)),
        post("/oauth/authorize/{word}", A::UseOAuthEndpoint, page(sign_on::answer)),
        post("/oauth/par", A::UseOAuthEndpoint, open(pushed::push)),
        get("/oauth/userinfo", A::UseOAuthEndpoint, open(userinfo::get)),
        post("/oauth/userinfo", A::UseOAuthEndpoint, open(userinfo::post)),
        get("/oauth/logout", A::ReadPublic, page(sign_on_logout::show)),
        post("/oauth/logout", A::UseOAuthEndpoint, open(pushed::logout)),
        post("/oauth/logout/confirm", A::UseOAuthEndpoint, page(sign_on_logout::confirm)),
        post("/oauth/register", A::UseOAuthEndpoint, open(client_registration::register)),
        get("/oauth/register/{id}", A::UseOAuthEndpoint, open(client_registration::read)),
        put("/oauth/register/{id}", A::UseOAuthEndpoint, open(client_registration::change)),
        delete("/oauth/register/{id}", A::UseOAuthEndpoint, open(client_registration::delete)),
        route(Method::OPTIONS, "/oauth/token", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/token", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/oauth/userinfo", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/oauth/revoke", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/oauth/jwks", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/.well-known/openid-configuration", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/.well-known/oauth-authorization-server", A::UseOAuthEndpoint, open(oauth::preflight)),
        get("/.well-known/oauth-authorization-server", A::ReadPublic, open(metadata::show)),
        get("/.well-known/oauth-protected-resource", A::ReadPublic, open(metadata::resource)),
        route(Method::OPTIONS, "/.well-known/oauth-protected-resource", A::UseOAuthEndpoint, open(oauth::preflight)),
        route(Method::OPTIONS, "/oauth/par", A::UseOAuthEndpoint, open(oauth::preflight)),
        // Products that people are handed over to. Scripts of a product's own front may ask, and of no other origin.
        get("/auth/{connection}/next/{word}", A::ReadPublic, page(hand_off::show)),
        post("/auth/{connection}/next/{word}", A::SignIn, page(hand_off::answer)),
        get("/auth/{connection}/choices/{word}", A::ReadPublic, open(product_choice::show)),
        post("/auth/{connection}/choices/{word}", A::UseOAuthEndpoint, open(product_choice::choose)),
        get("/auth/me", A::ReadPublic, open(product_session::me)),
        post("/auth/exchange", A::UseOAuthEndpoint, open(product_session::exchange)),
        post("/auth/refresh", A::UseOAuthEndpoint, open(product_session::refresh)),
        post("/auth/logout", A::UseOAuthEndpoint, open(product_session::logout)),
        route(Method::OPTIONS, "/auth/{connection}/choices/{word}", A::UseOAuthEndpoint, open(product::preflight)),
        route(Method::OPTIONS, "/auth/me", A::UseOAuthEndpoint, open(product::preflight)),
        route(Method::OPTIONS, "/auth/exchange", A::UseOAuthEndpoint, open(product::preflight)),
        route(Method::OPTIONS, "/auth/refresh", A::UseOAuthEndpoint, open(product::preflight)),
        route(Method::OPTIONS, "/auth/logout", A::UseOAuthEndpoint, open(product::preflight)),
        // Who one is.
        post("/api/v1/session", A::SignIn, with_body(session::sign_in)),
        delete("/api/v1/session", A::SignOut, plain(session::sign_out)),
        get("/api/v1/me", A::ReadSelf, plain(session::me)),
        get("/api/v1/me/connected-applications", A::ReadSelf, plain(connected::list)),
        delete("/api/v1/me/connected-applications/{client_id}", A::ManageAccount, plain(connected::remove)),
        put("/api/v1/me/name", A::ManageAccount, with_body(own_account::rename)),
        get("/api/v1/me/sessions", A::ReadSelf, plain(own_account::sessions)),
        delete("/api/v1/me/sessions/{id}", A::ManageAccount, plain(own_account::end)),
        post("/api/v1/me/sessions/end-others", A::ManageAccount, plain(own_account::end_others)),
        get("/api/v1/me/organizations", A::ReadSelf, plain(joined::mine)),
        get("/api/v1/directory/{number}", A::JoinOrganization, plain(joined::find)),
        post("/api/v1/joinings", A::JoinOrganization, with_body(joined::join)),
        get("/api/v1/joinings", A::ManagePlatform, paged(joined::list)),
        get("/api/v1/joinings/{id}", A::JoinOrganization, plain(joined::read)),
        post("/api/v1/joinings/{id}/cancel", A::JoinOrganization, plain(joined::cancel)),
        post("/api/v1/joinings/{id}/reopen", A::JoinOrganization, with_optional_body(joined::reopen)),
        post("/api/v1/joinings/{id}/send-code", A::JoinOrganization, plain(joined::send_code)),
        post("/api/v1/joinings/{id}/code", A::JoinOrganization, with_body(joined::enter_code)),
        post("/api/v1/joinings/{id}/sponsor", A::JoinOrganization, with_body(joined::sponsor)),
        post("/api/v1/joinings/{id}/vouch", A::VouchForMember, plain(joined::vouch)),
        get("/api/v1/joinings/{id}/moderation", A::ManagePlatform, plain(joined::moderation)),
        post("/api/v1/joinings/{id}/accept", A::ManagePlatform, with_optional_body(joined::accept)),
        post("/api/v1/joinings/{id}/refuse", A::ManagePlatform, with_body(joined::refuse)),
        post("/api/v1/member-invitations/accept", A::JoinOrganization, with_body(joined::accept_invitation)),
        get("/api/v1/organizations/{id}/members", A::ReadOrganization, plain(joined::members)),
        post("/api/v1/organizations/{id}/leave", A::LeaveOrganization, plain(joined::leave)),
        post("/api/v1/organizations/{id}/invitations", A::VouchForMember, with_body(joined::invite)),
        delete("/api/v1/organizations/{id}/invitations/{invitation}", A::VouchForMember, plain(joined::withdraw)),
        get("/api/v1/organizations/{id}/profile", A::ManagePlatform, plain(joined::profile)),
        put("/api/v1/organizations/{id}/domains", A::ManagePlatform, with_body(joined::set_domain)),
        put("/api/v1/organizations/{id}/contact", A::ManagePlatform, with_optional_body(joined::set_contact)),
        post("/api/v1/organizations/{id}/refresh", A::ManagePlatform, plain(joined::refresh)),
        // The catalogue.
        get("/api/v1/catalogue", A::ReadPublic, with_query(catalogue::search)),
        get("/api/v1/apis", A::ReadPublic, with_query(catalogue::list_apis)),
        get("/api/v1/apis/{provider}/{api}", A::ReadPublic, plain(catalogue::read_api)),
        get("/api/v1/apis/{provider}/{api}/openapi", A::ReadPublic, plain(catalogue::read_api_document)),
        get("/api/v1/definitions", A::ReadPublic, with_query(catalogue::list_definitions)),
        get("/api/v1/definitions/{slug}", A::ReadPublic, plain(catalogue::read_definition)),
        get("/api/v1/register", A::ReadPublic, paged(register::list)),
        get("/api/v1/statistics", A::ReadPublic, plain(statistics::read)),
        // Requests.
        post("/api/v1/access-requests", A::CreateRequest, with_body(access_requests::create)),
        get("/api/v1/access-requests", A::ListRequests, paged(access_requests::list)),
        get("/api/v1/access-requests/counts", A::ListRequests, with_query(access_requests::counts)),
        get("/api/v1/access-requests/{id}", A::ReadRequest, plain(access_requests::read)),
        get("/api/v1/access-requests/{id}/messages", A::ReadRequest, plain(messages::list)),
        post("/api/v1/access-requests/{id}/messages", A::WriteMessage, with_body(messages::send)),
        post("/api/v1/access-requests/{id}/messages/seen", A::WriteMessage, plain(messages::see)),
        get("/api/v1/access-requests/{id}/timeline", A::ReadRequest, plain(messages::timeline)),
        get("/api/v1/access-requests/{id}/review", A::ReviewRequest, plain(access_requests::review)),
        patch("/api/v1/access-requests/{id}", A::EditRequest, with_body(access_requests::edit)).versioned(),
        post("/api/v1/access-requests/{id}/submit", A::SubmitRequest, with_optional_body(access_requests::submit)).versioned(),
        post("/api/v1/access-requests/{id}/request-changes", A::RequestChanges, with_body(access_requests::request_changes)),
        post("/api/v1/access-requests/{id}/refuse", A::RefuseRequest, with_body(access_requests::refuse)),
        post("/api/v1/access-requests/{id}/approve", A::ApproveRequest, with_body(access_requests::approve)).versioned(),
        post("/api/v1/access-requests/{id}/archive", A::ArchiveRequest, plain(access_requests::archive)),
        post("/api/v1/access-requests/{id}/transfer", A::TransferRequest, with_body(access_requests::transfer)),
        // Permits.
        get("/api/v1/permits", A::ListPermits, paged(permits::list)),
        get("/api/v1/permits/counts", A::ListPermits, with_query(permits::counts)),
        get("/api/v1/permits/{id}", A::ReadPermit, plain(permits::read)),
        post("/api/v1/permits/{id}/revoke", A::RevokePermit, with_body(permits::revoke)),
        post("/api/v1/permits/{id}/suspend", A::SuspendPermit, with_body(permits::suspend)),
        post("/api/v1/permits/{id}/resume", A::ResumePermit, plain(permits::resume)),
        post("/api/v1/permits/{id}/amend", A::AmendPermit, plain(permits::amend)),
        post("/api/v1/permits/{id}/next-stage", A::AmendPermit, plain(permits::next_stage)),
        // Applications, subscriptions, credentials.
        post("/api/v1/applications", A::CreateApplication, with_body(applications::create)),
        get("/api/v1/applications", A::ListApplications, with_query(applications::list)),
        get("/api/v1/applications/{id}", A::ReadApplication, plain(applications::read)),
        get("/api/v1/applications/{id}/usage", A::ReadApplication, plain(applications::usage)),
        post("/api/v1/applications/{id}/suspend", A::SuspendApplication, plain(applications::suspend)),
        post("/api/v1/applications/{id}/resume", A::SuspendApplication, plain(applications::resume)),
        post("/api/v1/applications/{id}/subscriptions", A::Subscribe, with_body(subscriptions::create)),
        post("/api/v1/applications/{id}/credentials", A::CreateCredential, with_body(credentials::create)),
        post("/api/v1/apis/{provider}/{api}/subscribers", A::DecideSubscription, with_body(subscriptions::enrol)),
        get("/api/v1/apis/{provider}/{api}/subscribers", A::AdministerApi, with_query(subscriptions::subscribers)),
        post("/api/v1/apis/{provider}/{api}/invitations", A::AdministerApi, with_body(invitations::create)),
        get("/api/v1/apis/{provider}/{api}/invitations", A::AdministerApi, with_query(invitations::list)),
        delete("/api/v1/invitations/{id}", A::AdministerApi, plain(invitations::withdraw)),
        post("/api/v1/invitations/accept", A::AcceptInvitation, with_body(invitations::accept)),
        delete("/api/v1/credentials/{id}", A::RevokeCredential, plain(credentials::revoke)),
        get("/api/v1/subscriptions", A::ReadSubscription, with_query(subscriptions::list)),
        post("/api/v1/subscriptions/{id}/activate", A::DecideSubscription, plain(subscriptions::activate)),
        post("/api/v1/subscriptions/{id}/suspend", A::DecideSubscription, plain(subscriptions::suspend)),
        post("/api/v1/subscriptions/{id}/revoke", A::EndSubscription, plain(subscriptions::revoke)),
        post("/api/v1/subscriptions/{id}/accept-terms", A::Subscribe, plain(subscriptions::accept_terms)),
        // Relying parties of the sign-on.
        post("/api/v1/clients", A::ManagePlatform, with_body(clients::create)),
        get("/api/v1/clients", A::ManagePlatform, with_query(clients::list)),
        get("/api/v1/clients/{id}", A::ManagePlatform, plain(clients::read)),
        put("/api/v1/clients/{id}", A::ManagePlatform, with_body(clients::update)).versioned(),
        delete("/api/v1/clients/{id}", A::ManagePlatform, plain(clients::remove)),
        post("/api/v1/clients/{id}/suspend", A::ManagePlatform, plain(clients::suspend)),
        post("/api/v1/clients/{id}/resume", A::ManagePlatform, plain(clients::resume)),
        post("/api/v1/clients/{id}/secret", A::ManagePlatform, plain(clients::replace_secret)),
        post("/api/v1/initial-access-tokens", A::ManagePlatform, with_body(clients::create_initial_access)),
        get("/api/v1/initial-access-tokens", A::ManagePlatform, plain(clients::list_initial_access)),
        delete("/api/v1/initial-access-tokens/{id}", A::ManagePlatform, plain(clients::remove_initial_access)),
        // Products that people are handed over to.
        get("/api/v1/connections/{slug}/accounts", A::ManagePlatform, with_query(products::list_accounts)),
        get("/api/v1/connections/{slug}/accounts/{id}", A::ManagePlatform, plain(products::read_account)),
        patch("/api/v1/connections/{slug}/accounts/{id}", A::ManagePlatform, with_body(products::change_account)).versioned(),
        delete("/api/v1/connections/{slug}/accounts/{id}/logins", A::ManagePlatform, plain(products::end_logins)),
        post("/api/v1/connections/{slug}/legacy-users", A::ManagePlatform, with_body(products::import)),
        get("/api/v1/connections/{slug}/legacy-users", A::ManagePlatform, with_query(products::list_legacy)),
        delete("/api/v1/connections/{slug}/legacy-users/{id}", A::ManagePlatform, plain(products::remove_legacy)),
        post("/api/v1/connections/{slug}/legacy-users/{id}/link", A::ManagePlatform, with_body(products::link_legacy)),
        get("/api/v1/connections/{slug}/legacy-disputes", A::ManagePlatform, with_query(products::disputes)),
        post("/api/v1/connections/{slug}/legacy-disputes/{id}/decide", A::ManagePlatform, with_body(products::decide)),
        // Providers that people sign in through.
        post("/api/v1/connections", A::ManagePlatform, with_body(connections::create)),
        get("/api/v1/connections", A::ManagePlatform, plain(connections::list)),
        get("/api/v1/connections/{slug}", A::ManagePlatform, plain(connections::read)),
        put("/api/v1/connections/{slug}", A::ManagePlatform, with_body(connections::update)).versioned(),
        delete("/api/v1/connections/{slug}", A::ManagePlatform, plain(connections::remove)),
        get("/api/v1/connections/{slug}/link-requests", A::ManagePlatform, plain(connections::link_requests)),
        post("/api/v1/link-requests/{id}/decide", A::ManagePlatform, with_body(connections::decide)),
        // Calls and evidence.
        get("/api/v1/traces", A::ReadTraces, with_query(traces::list)),
        get("/api/v1/traces/statistics", A::ReadTraces, with_query(traces::statistics)),
        post("/api/v1/traces/anonymise", A::AnonymiseTraces, with_body(traces::anonymise)),
        get("/api/v1/ledger", A::ReadLedger, with_query(ledger::list)),
        get("/api/v1/ledger/verifications", A::ReadLedger, plain(ledger::verifications)),
        post("/api/v1/ledger/verifications", A::ManagePlatform, plain(ledger::verify)),
        // The platform.
        post("/api/v1/organizations", A::ManagePlatform, with_body(people::create_organization)),
        get("/api/v1/organizations", A::ManagePlatform, with_query(people::list_organizations)),
        post("/api/v1/users", A::ManagePlatform, with_body(people::create_user)),
        get("/api/v1/users", A::ManagePlatform, with_query(people::list_users)),
        get("/api/v1/organizations/{id}", A::ManagePlatform, plain(people::read_organization)),
        get("/api/v1/users/{id}", A::ManagePlatform, plain(people::read_user)),
        put("/api/v1/users/{id}/organizations", A::ManagePlatform, with_body(people::link_organization)),
        delete("/api/v1/users/{id}/organizations", A::ManagePlatform, with_body(people::leave_organization)),
        get("/api/v1/definitions/{slug}/roles", A::ManageRoles, plain(people::definition_roles)),
        get("/api/v1/outbox", A::ManagePlatform, with_query(platform::outbox)),
        get("/api/v1/outbox/counts", A::ManagePlatform, plain(platform::outbox_counts)),
        post("/api/v1/outbox/retry-failed", A::ManagePlatform, plain(platform::retry_failed)),
        post("/api/v1/outbox/{id}/retry", A::ManagePlatform, plain(platform::retry)),
        get("/api/v1/platform/definitions", A::ManagePlatform, plain(platform::definitions)),
        get("/api/v1/platform/definitions/{slug}", A::ManagePlatform, plain(platform::definition)),
        get("/api/v1/platform/apis", A::ManagePlatform, plain(platform::apis)),
        get("/api/v1/platform/settings", A::ManagePlatform, plain(platform::settings)),
        get("/api/v1/platform/health", A::ManagePlatform, plain(platform::health)),
        put("/api/v1/users/{id}/roles", A::ManageRoles, with_body(people::grant_role)),
        delete("/api/v1/users/{id}/roles", A::ManageRoles, with_body(people::withdraw_role)),
        get("/api/v1/dev/mailbox", A::ReadDevMailbox, with_query(dev::mailbox)),
        get("/api/v1/openapi.json", A::ReadPublic, open(openapi::show)),
    ]
}

/// The whole portal, ready to be served, with a [`Peer`](crate::Peer) in the extensions of each request.
pub fn router(state: WebState) -> Router {
    let shared = Arc::new(Shared::new(state));
    let all = routes();
    let mut paths: Vec<&'static str> = all.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        let here: Arc<[Route]> = all.iter().filter(|route| route.path == path).cloned().collect();
        let shared = Arc::clone(&shared);
        let handler = move |params: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>, request: Request| {
            dispatch::dispatch(Arc::clone(&shared), Arc::clone(&here), params.ok(), request)
        };
        router = router.route(path, any(handler));
    }
    router
        .fallback(dispatch::unknown_route)
        .layer(CatchPanicLayer::custom(|_| dispatch::panicked()))
        .layer(middleware::from_fn(move |request, next| dispatch::around(Arc::clone(&shared), request, next)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_route_stands_once_and_reads_do_not_change() {
        let mut seen = BTreeSet::new();
        for route in routes() {
            assert!(seen.insert((route.path, route.method.to_string())), "{} {} stands twice", route.method, route.path);
            assert_eq!(
                matches!(route.handler, Handler::Rest(_)),
                route.path.starts_with("/api/v1/") && route.path != "/api/v1/openapi.json",
                "{}",
                route.path
            );
            let reads = matches!(
                route.action,
                Action::ReadPublic
                    | Action::ReadSelf
                    | Action::ListRequests
                    | Action::ReadRequest
                    | Action::ListPermits
                    | Action::ReadPermit
                    | Action::ListApplications
                    | Action::ReadApplication
                    | Action::ReadSubscription
                    | Action::ReadTraces
                    | Action::ReadLedger
                    | Action::ReadDevMailbox
            );
            if reads {
                assert_eq!(route.method, Method::GET, "{}", route.path);
            }
        }
    }

    #[test]
    fn every_action_has_a_route() {
        let routed: BTreeSet<Action> = routes().iter().map(|route| route.action).collect();
        let all = Action::GENERAL.iter().chain(&Action::ON_REQUEST).chain(&Action::ON_PERMIT).chain(&Action::ON_APPLICATION);
        // A private API is shown or hidden by the routes of the catalogue.
        let missing: Vec<&Action> = all.filter(|action| !routed.contains(action) && **action != Action::ReadApi).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
