## Mailbox and mails (demo)
mailbox-title = Mailbox
mailbox-lead = The mails that the demo has sent: none really leaves.
mailbox-caption = Mails sent, the latest first
mailbox-empty = No mail. Submit a request, then come back.
mailbox-search = Search the mailbox
mailbox-submit = Show
mailbox-reset = All mails
mailbox-pages = Pages of the mailbox
mailbox-newest = Newest
mailbox-older = Older
mail-subject = Subject
mail-preheader = Preview
mail-from = From
mail-from-platform = The platform
mail-to = To
mail-reply-to = Answer to
mail-at = Sent
mail-text = Text version
mail-html = HTML version
mails-title = Mails
mails-lead = Every mail that the platform sends, with sample data.
mails-caption = Mails
mails-versions = Versions
mails-in-french = { $name }, in French
mails-in-english = { $name }, in English

## How mails leave
mailing-off = No mail leaves
mailing-off-text = Mails wait in the outbox and nobody is told of anything. Set a mail server in the section mail of the settings, then restart the program.
mailing-mailbox = Demo: mails arrive in the mailbox, none really leaves.
mailing-smtp = Mails leave through { $server }, in the name of { $sender } where the provider has no sender of its own.
