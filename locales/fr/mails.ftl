## Boîte aux lettres et modèles de messages (démonstration)
mailbox-title = Boîte aux lettres
mailbox-lead = Les messages que la démonstration a envoyés : aucun ne part vraiment.
mailbox-caption = Messages envoyés, du plus récent au plus ancien
mailbox-empty = Aucun message. Envoyez une demande, puis revenez.
mailbox-search = Chercher dans la boîte aux lettres
mailbox-submit = Afficher
mailbox-reset = Tous les messages
mailbox-pages = Pages de la boîte aux lettres
mailbox-newest = Les plus récents
mailbox-older = Plus anciens
mail-subject = Objet
mail-preheader = Aperçu
mail-from = De
mail-from-platform = La plateforme
mail-to = À
mail-reply-to = Réponse à
mail-at = Envoyé
mail-text = Version texte
mail-html = Version HTML
mails-title = Modèles de messages
mails-lead = Chaque message que la plateforme envoie, avec des données d’exemple.
mails-caption = Messages
mails-versions = Versions
mails-in-french = { $name }, en français
mails-in-english = { $name }, en anglais

## Comment partent les messages
mailing-off = Aucun message ne part
mailing-off-text = Les messages attendent dans la boîte d’envoi et personne n’est prévenu de rien. Réglez un serveur de messagerie dans la section mail des réglages, puis relancez le programme.
mailing-mailbox = Démonstration : les messages arrivent dans la boîte aux lettres, aucun ne part vraiment.
mailing-smtp = Les messages partent par { $server }, au nom de { $sender } quand le fournisseur n’a pas son propre expéditeur.
