"""How mails leave: the console, SMTP, or a service through Anymail."""

from dataclasses import dataclass, field

from config.env import Environment

BACKENDS = {
    "CONSOLE": "django.core.mail.backends.console.EmailBackend",
    "SMTP": "django.core.mail.backends.smtp.EmailBackend",
    "SES": "anymail.backends.amazon_ses.EmailBackend",
    "SENDGRID": "anymail.backends.sendgrid.EmailBackend",
}
SECRETS = {"SMTP": {"password": "MAIL_PASSWORD"}, "SENDGRID": {"api_key": "SENDGRID_API_KEY"}}
_SECURITY = ("STARTTLS", "TLS", "NONE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What Django and Anymail need to know."""

    backend: str
    sender: str
    host: str
    port: int
    user: str
    security: str
    secrets: dict[str, str]
    """Arguments of the backend that are secrets, and their names."""
    anymail: dict[str, object] = field(default_factory=dict)


def read(env: Environment) -> Mail:
    """Read how mails are sent; refuse an incomplete choice."""
    way = env.choice("MAIL_BACKEND", "CONSOLE", of=tuple(BACKENDS))
    sender, host, key = env.text("MAIL_FROM"), env.text("MAIL_HOST"), env.text("SENDGRID_API_KEY")
    region = env.text("AWS_REGION")
    env.declare("MAIL_PASSWORD")
    if way != "CONSOLE" and "@" not in sender:
        env.refuse("MAIL_FROM", "must be an address that may send mails, such as Kayaks <hello@example.com>.")
    if way == "SMTP" and not host:
        env.refuse("MAIL_HOST", "is missing; MAIL_BACKEND=smtp needs it.")
    if way == "SENDGRID" and not key:
        env.refuse("SENDGRID_API_KEY", "is missing; MAIL_BACKEND=sendgrid needs it.")
    if way == "SES" and not region:
        env.refuse("AWS_REGION", "is missing; MAIL_BACKEND=ses needs it.")
    return Mail(
        backend=BACKENDS[way],
        sender=sender or "Holdfast <holdfast@localhost>",
        host=host or "localhost",
        port=env.integer("MAIL_PORT", 587, least=1, most=65535),
        user=env.text("MAIL_USER"),
        security=env.choice("MAIL_SECURITY", "STARTTLS", of=_SECURITY),
        secrets=SECRETS.get(way, {}),
        anymail={"AMAZON_SES_CLIENT_PARAMS": {"region_name": region} if region else {}},
    )
