"""The Cognito user pool: identity of people, and its sign-in page."""

from dataclasses import dataclass

from common.addresses import is_near
from config.env import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The settings of the user pool.

    Without one, API keys and passwords are all there is.
    """

    pool: str
    region: str
    client: str
    domain: str
    endpoint: str

    @property
    def has_sign_in(self) -> bool:
        """Whether the backoffice can be signed in to through the pool."""
        return bool(self.pool and self.client and self.domain)


def read(env: Environment) -> Identity:
    """Read it; what is missing for what is there is refused."""
    pool = env.text("COGNITO_USER_POOL_ID")
    env.declare("COGNITO_CLIENT_SECRET")
    region, _, rest = pool.partition("_")
    if pool and not (region and rest):
        env.refuse("COGNITO_USER_POOL_ID", "must be the id of a user pool, such as eu-west-1_AbCdEf123.")
    found = Identity(
        pool=pool,
        region=region,
        client=env.text("COGNITO_CLIENT_ID"),
        domain=env.url("COGNITO_DOMAIN", schemes=["https", "http"]).rstrip("/"),
        endpoint=env.url("COGNITO_ENDPOINT", schemes=["https", "http"]).rstrip("/"),
    )
    for name, url in (("COGNITO_DOMAIN", found.domain), ("COGNITO_ENDPOINT", found.endpoint)):
        if url.startswith("http://") and not is_near(url):
            env.refuse(name, "must be https unless it is on this machine or its private network.")
    if found.domain and not found.client:
        env.refuse("COGNITO_CLIENT_ID", "is missing; signing in at COGNITO_DOMAIN needs it.")
    if (found.client or found.domain) and not pool:
        env.refuse("COGNITO_USER_POOL_ID", "is missing; the other COGNITO_ variables are of no use without it.")
    return found
