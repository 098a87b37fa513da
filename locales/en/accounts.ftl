## Coming in
sign-in-next = Continue
sign-in-by-mail = Send me a link by mail
sign-in-by-passkey = Sign in with a passkey
sign-in-forgotten = I forgot my password
sign-in-no-account = Open an account
sign-in-otherwise = Sign in another way
email-missing = Write your e-mail address, for example name@example.org.
wait-seconds = Try again in { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
}.
not-possible = This is not possible
passkey-failed = The browser gave no passkey. Try again, or take another way.
mail-code-title = Type the code you received
mail-code = Code received by mail
mail-again = Send another message
mail-again-in = You can ask for another message in { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
}.
mail-not-there = Nothing received? Look into the junk folder, and check the address.
sign-in-mail-sent = If an account has the address { $email }, a message has just left for it. Open its link, or type the code that it holds here: it is valid for { $minutes } minutes.
link-spent-title = This link opens nothing any more
link-spent = It was used already, or is out of date
link-spent-text = Ask for another one: only the last message that you received is worth anything.
link-open = Sign me in here
link-open-text = This link signs the account { $email } in to this browser, which is not the one where it was asked for.
link-not-mine = This is not my account

## Opening an account
sign-up = Open an account
sign-up-text = Enter your address at work: a code will be sent to it.
sign-up-known = I have an account
sign-up-sent = A message has just left for { $email }. Type the code that it holds here: it is valid for { $minutes } minutes.
sign-up-other-address = Take another address
sign-up-finish = Finish opening the account
sign-up-finish-text = The address { $email } is verified.
sign-up-open = Open the account
given-name = Given name
family-name = Family name
password-new = New password
password-hint = { $least } to { $most } characters. A few words that have nothing to do with each other make a good password.

## Forgotten password
reset-title = Choose a new password
reset-text = Enter the address of your account: a link to choose a new password will be sent to it.
reset-ask = Send me a link
reset-sent = Look at your mail
reset-sent-text = If an account has the address { $email }, a link has just left for it: it is valid for { $minutes } minutes and works once.
reset-choose = Change the password
reset-choose-text = Your open sessions will end; a second factor is still asked for.
flash-password-reset = The password is changed: sign in.

## Second factor
second-factor = Second factor
second-factor-text = Show that it is you in a second way.
second-factor-code = Code
second-factor-code-hint = The six digits of your application, or a recovery code.
second-factor-show = Continue
second-factor-passkey = Use a passkey
again-title = Confirm that it is you
again-text = This page changes what opens your account, and you signed in more than fifteen minutes ago.
again-confirm = Confirm
again-by-mail = Send me a code by mail
again-by-passkey = Confirm with a passkey
again-wrong = This password is wrong.
again-mail-sent = A code has just left for { $email }.

## Account
account-title = My account
account-who = Who I am
account-ways-in = How I sign in
account-change-name = Change my names
account-change-email = Change or verify my address
account-change-password = Change my password
account-add-password = Choose a password
account-second-factor = Second factor and recovery codes
account-second-factor-needed = Your role asks for a second factor
account-second-factor-needed-text = Until it is set up and shown, the role is held back: an application that gives codes, or a passkey.
account-second-factor-set-up = Set it up
account-unverified = Your address is not verified
account-unverified-text = A code sent to the address will do it.
account-verify = Verify my address
email-verified = verified
email-unverified = not verified
account-there = set up
account-not-there = not set up
account-save = Save
account-confirm = Confirm
account-send-code = Send a code
account-email-text = A code leaves for the address that you enter; it becomes the account’s once the code is confirmed. The old address is told. The organisations that the old address proved will have to be proved again.
account-password-text = Your other sessions will end.
account-sessions = My sessions
account-sessions-open = { $count ->
    [one] One session is open
   *[other] { $count } sessions are open
}.
account-sessions-see = See my sessions
account-sessions-text = The browsers in which your account is open. A session ends after twelve hours, or one hour without use.
account-end = End of the account
account-end-text = Your requests and the decisions on them stay, without your name.
account-delete = Delete my account
account-delete-text = Your names, your address, your roles and all that opens the account will be erased, and your sessions closed. Requests, permits and the ledger keep an id without a name, because the law asks that decisions can be proven. This cannot be undone.
account-delete-email = Write the address of your account to confirm
account-delete-confirm = Delete for good
account-keep = Change nothing
session-browser = Browser
session-known-browser = { $browser } on { $system }
session-unknown-browser = Unknown browser
session-address = Network address
session-methods = Opened with
session-opened = Opened
session-seen = Last seen
session-action = Action
session-this = this one
session-end = Close
session-end-others = Close all others
method-password = password
method-passkey = passkey
method-security_key = security key
method-totp = code of an application
method-recovery_code = recovery code
method-mail = mail
method-upstream = another identity provider
method-upstream_mfa = another identity provider, two factors

## Passkeys, codes
passkeys-title = Passkeys
passkeys-count = { $count ->
    [0] none
    [one] one
   *[other] { $count }
}
passkeys-text = A passkey opens your account without a password: your phone, your computer or a security key keeps it, and checks that it is you.
passkeys-none = No passkey yet: add this device’s below.
passkeys-script = Adding a passkey needs a browser that knows them, with JavaScript. The other ways in do without.
passkeys-second = A passkey is two factors by itself.
passkeys-not-here = No passkeys here
passkeys-not-here-text = This platform is reached by an address without a name, which a passkey cannot be bound to.
passkey-add = Add a passkey
passkey-name = Name of the passkey
passkey-name-hint = To know it by, for example “phone”.
passkey-rename = Rename a passkey
passkey-added = Added
passkey-used = Last used
passkey-never-used = never
passkey-remove = Remove
second-factor-why = A second factor keeps your account closed to whoever has your password or your mailbox.
second-factor-first = Set one of these up to go on
second-factor-first-text = What you were about to do asks for a second factor. You will be back there afterwards.
totp-title = Application that gives codes
totp-text = An application of your phone gives a code of six digits, asked for at each sign-in.
totp-begin = Set up an application
totp-set-up = Set up an application
totp-step-install = Install an application that gives codes (TOTP) on your phone, if you have none.
totp-step-read = Let it read this picture, or type the key.
totp-step-code = Type the code that it shows.
totp-qr = Picture of the key, to be read with the phone
totp-secret = Key to type
totp-code = Code of the application
totp-code-hint = Six digits.
totp-remove = Remove the application
totp-remove-text = No code will be asked for any more, and your recovery codes will be worth nothing. If your role asks for a second factor, it will be held back.
totp-remove-confirm = Remove
recovery-title = Recovery codes
recovery-left = { $count ->
    [0] None is left: make others
    [one] One is left
   *[other] { $count } are left
}.
recovery-renew = Make other recovery codes
recovery-text = Each of these codes stands in once for that of the application, if you lose your phone. Print them, or keep them in a password vault.
recovery-once = These codes will not be shown again
recovery-kept = I have kept them
flash-account-saved = It is saved.
flash-account-email = The address is verified.
flash-account-password = The password is changed, and your other sessions are closed.
flash-account-deleted = The account is deleted.
flash-passkey-added = The passkey is added.
flash-passkey-removed = The passkey is removed.
flash-totp-removed = The application is removed.
flash-session-ended = The session is closed.
flash-sessions-ended = The other sessions are closed.
go-on-there = Go on where you were
