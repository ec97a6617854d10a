"""ESPs: the merge tags of each email service for a recipient's address, own id and campaign in a URL.

Read in the makers' pages on these topics, and where a page gave no answer in templates that are in use: ActiveCampaign
"Personalization tags"; Braze "Supported personalization tags" and "Advanced filters" (`url_encode`); Customer.io
"Liquid tag list"; HubSpot "HubL filters" (they do not work on contact tokens in emails); Iterable "Personalizing
templates with Handlebars" (`#urlEncode`) and "Handlebars FAQ" (triple braces keep an apostrophe); Klaviyo "Glossary of
variable filters" (Django's); listmonk "Templating" (Go's html/template); Mailchimp "Merge tags cheat sheet" (`URL:`);
Mailgun "Batch sending" (recipient variables); Postmark "Template syntax" (Mustachio); Salesforce "AMPscript
UrlEncode()" and "RedirectTo()"; SendGrid "Using Handlebars" (the helpers it has, none of which encodes).
"""

import msgspec

HOLE = "…"
"""The place of a field in a tag, and of a URL in a link."""


class Esp(msgspec.Struct, frozen=True):
    """One email service. `email`, `user` and `campaign` are its fields, and `tag` surrounds a field.

    `user` has the shop's own id of a person, the userId of its events. `campaign` is empty if the service has no such
    field. `encodes` is whether the tag percent-encodes characters that a URL's query cannot have.
    """

    name: str
    title: str
    tag: str
    email: str
    user: str
    campaign: str = ""
    encodes: bool = True
    link: str = HOLE
    """Text around the URL of a link. Pictures have the bare URL."""
    link_tag: str = ""
    """The tag inside a link; empty: that of a picture's URL."""
    note: str = ""
    """Instructions for the marketer, shown beside the snippet."""
    user_note: str = ""
    """Text before the note, if the recipient is given by the shop's own id."""
    email_note: str = ""
    """Text before the note, if the recipient is given by the address."""

    def notes_for(self, kind: str | None) -> str:
        """Return the notes for a snippet that identifies the recipient by `user` or `email`."""
        bare = "" if self.encodes else f"{self.title} does not URL-encode: {_BARE[kind == 'email']}"
        return " ".join(filter(None, (bare, self.email_note if kind == "email" else self.user_note, self.note)))


_BARE = (
    "URL-encode IDs that contain other characters than letters, digits and - . _ ~ when you fill the field.",
    "Addresses work unless they contain & # or %.",
)
"""The consequence of this for IDs and for addresses."""

ESPS: tuple[Esp, ...] = (
    Esp(
        name="klaviyo",
        title="Klaviyo",
        tag="{{ …|urlencode }}",
        email="person.email",
        user="person|lookup:'external_id'",
        note="Klaviyo has no tag for the campaign: name it when you copy the snippet.",
        user_note="The profile's external ID must be your user ID.",
    ),
    Esp(
        name="mailchimp",
        title="Mailchimp",
        tag="*|URL:…|*",
        email="EMAIL",
        user="USERID",
        campaign="CAMPAIGN_UID",
        user_note="Add an audience field with the merge tag USERID for your user ID. (UNIQID is Mailchimp's own ID.)",
    ),
    Esp(
        name="braze",
        title="Braze",
        tag="{{… | url_encode}}",
        email="${email_address}",
        user="${user_id}",
        campaign="campaign.${api_id}",
        note="In a Canvas, write canvas.${api_id} in place of campaign.${api_id}.",
    ),
    Esp(
        name="salesforce",
        title="Salesforce Marketing Cloud",
        tag="%%=URLEncode(…,1,1)=%%",
        email="emailaddr",
        user="_subscriberkey",
        campaign="jobid",
        link="%%=RedirectTo(Concat('…'))=%%",
        link_tag="',URLEncode(…,1,1),'",
        user_note="The subscriber key must be your user ID.",
        note="Links are whole RedirectTo() calls, so that click tracking keeps the recipient.",
    ),
    Esp(
        name="sendgrid",
        title="SendGrid",
        tag="{{…}}",
        email="email",
        user="user_id",
        campaign="campaign",
        encodes=False,
        note="Send email, user_id and campaign with the dynamic template's data.",
    ),
    Esp(
        name="hubspot",
        title="HubSpot",
        tag="{{ … }}",
        email="contact.email",
        user="contact.user_id",
        encodes=False,
        user_note="Add a contact property user_id for your user ID.",
        note="HubSpot has no tag for the campaign: name it when you copy the snippet.",
    ),
    Esp(
        name="customerio",
        title="Customer.io",
        tag="{{ … | url_encode }}",
        email="customer.email",
        user="customer.id",
        campaign="campaign.id",
        user_note="The person's ID must be the userId of your events, as Segment sends it.",
    ),
    Esp(
        name="iterable",
        title="Iterable",
        tag="{{#urlEncode}}{{{…}}}{{/urlEncode}}",
        email="email",
        user="userId",
        campaign="campaignId",
        email_note="Keep the three braces: with two, an apostrophe in an address is written as HTML before it is "
        "encoded.",
    ),
    Esp(
        name="mailgun",
        title="Mailgun",
        tag="%recipient.…%",
        email="email",
        user="user_id",
        campaign="campaign",
        encodes=False,
        note="Send email, user_id and campaign with each recipient's recipient-variables.",
    ),
    Esp(
        name="activecampaign",
        title="ActiveCampaign",
        tag="%…%",
        email="EMAIL",
        user="USER_ID",
        campaign="CAMPAIGNID",
        encodes=False,
        user_note="Add a contact field with the personalization tag USER_ID for your user ID. (SUBSCRIBERID is "
        "ActiveCampaign's own ID.)",
    ),
    Esp(
        name="postmark",
        title="Postmark",
        tag="{{…}}",
        email="email",
        user="user_id",
        campaign="campaign",
        encodes=False,
        note="Send email, user_id and campaign with the template's model.",
    ),
    Esp(
        name="listmonk",
        title="listmonk",
        tag="{{ … | urlquery }}",
        email=".Subscriber.Email",
        user=".Subscriber.Attribs.user_id",
        campaign=".Campaign.UUID",
        user_note="Give subscribers the attribute user_id with your user ID.",
        note="Paste into a raw HTML campaign.",
    ),
)
"""The services, best known first."""

BY_NAME = {esp.name: esp for esp in ESPS}
