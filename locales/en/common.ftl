## The frame of the pages
skip-to-content = Skip to content
menu = Main menu
menu-home = Home
menu-dashboard = Dashboard
menu-review = Review
menu-my-apis = My APIs
menu-manage = Roles
menu-applications = Applications
menu-operator = Operations
menu-catalogue = Catalogue
menu-register = Public register
menu-statistics = Statistics
menu-mailbox = Mailbox
other-language = Français
breadcrumb = Breadcrumb
footer-legal = Legal notices
footer-accessibility = Accessibility
footer-api = API documentation
footer-components = Components
footer-mails = Mail templates

## Signing in
sign-in = Sign in
sign-out = Sign out
sign-in-email = E-mail address
sign-in-password = Password
sign-in-wrong = The e-mail address or the password is wrong
sign-in-wrong-text = Check them, then try again.
sign-in-too-many = Too many attempts
sign-in-too-many-text = Try again in { $minutes ->
    [one] one minute
   *[other] { $minutes } minutes
}.
sign-in-demo = Demo: the accounts are printed where the program was started; their password is octroi-demo-2026. For example applicant@rivebelle.example applies, reviewer@dinum.example reviews.
session-ended = Your session has ended
session-ended-kept = What you typed is kept: sign in again, then send it once more.
resume-title = Go on with what you sent
resume-text = You are signed in. What you typed has not been sent yet.
resume-shown = What will be sent
resume-password = The password was not kept: the next page asks for it again.
sent-decision = Decision
sent-email = E-mail address
sent-family_name = Family name
sent-given_name = Given name
sent-level = Link with the organisation
sent-message = Message
sent-name = Name
sent-organization = Organisation
sent-perimeter = Perimeter
sent-reason = Reason
sent-role = Role
sent-siret = SIRET
sent-text = Message
sent-title = Title
resume-send = Send what I typed
flash-signed-out = You are signed out.

## Forms
form-errors = { $count ->
    [one] One field needs your attention
   *[other] { $count } fields need your attention
}
draft-unsaved = Changes not saved yet
draft-not-saved = Not saved by itself: use the button to save. It will say why, and nothing that you typed will be lost.
optional = (optional)
copy = Copy
copied = Copied

## Errors
error-title-400 = Malformed request
error-title-401 = Sign-in required
error-title-403 = Not allowed
error-title-404 = Page not found
error-title-405 = Not possible here
error-title-409 = Things have changed
error-title-412 = Things have changed
error-title-413 = Too large
error-title-422 = Some fields need your attention
error-title-429 = Too many attempts
error-title-500 = An error on our side
error-title-503 = Service unavailable
error-next-400 = Go back to the page before and try again.
error-next-401 = Sign in, then try again.
error-next-403 = If you think that you need it, ask the manager of your organisation or of the provider for this right.
error-next-404 = The address may be incomplete, or your account may not see this page. Check that you are signed in with the right account.
error-next-405 = Go back to the page before and use its buttons.
error-next-409 = Reload the page before: it shows how things are now, then choose what to do.
error-next-412 = Reload the page before: it shows how things are now, then choose what to do.
error-next-413 = Use your browser’s back button: what you typed is still there. Shorten it, then send it again.
error-next-422 = Go back to the page before, mend it, then send it again.
error-next-429 = Wait a little, then try again.
error-next-500 = Try again in a moment. If it goes on, write to the support with the reference below.
error-next-503 = Reload this page in a moment: nothing that was saved is lost, and a form that you sent is sent again.
error-csrf = This was not sent by a page of this portal. Nothing was done.
error-next-csrf = Go back to the page that you came from, reload it, then try again.
error-too-large = What you sent is too long for one form. Nothing was saved.
error-next-address = Check the address: something was added to it, or is missing. Or go on from a page below.
error-unknown = This address has no such parameter, take it out.
error-nowhere = There is nothing at this address.
error-way-back = Back to the page before
error-reference = Error { $status } · reference { $id }

## Dates
date-at-time = { $date } at { $time }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec

## States
request-state-draft = Draft
request-state-submitted = In review
request-state-changes_requested = Changes requested
request-state-approved = Approved
request-state-refused = Refused
request-state-archived = Archived
permit-state-active = In force
permit-state-suspended = Suspended
permit-state-superseded = Superseded
permit-state-revoked = Revoked
permit-state-expired = Expired
stage-sandbox = Sandbox
stage-production = Production

## Components
components-title = Components
