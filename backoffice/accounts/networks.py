"""Which networks staff may come from: reading lists, and deciding about an address (X-007)."""

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from backoffice.accounts.factor import FACTORS
from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Invalid

# Everything that every request of staff needs, in one statement.
READ = """
SELECT
  (SELECT p.allowed_ips FROM accounts_staffprofile p WHERE p.user_id = %(user)s),
  (SELECT json_agg(a.allowed_ips)::text FROM accounts_roleaccess a
   JOIN auth_group g ON g.name = a.role JOIN accounts_user_groups m ON m.group_id = g.id
   WHERE m.user_id = %(user)s),
  EXISTS(SELECT 1 FROM accounts_rolegrant r
         WHERE r.user_id = %(user)s AND r.ended_at IS NULL AND r.expires_at <= %(now)s),
  EXISTS(SELECT 1 FROM mfa_authenticator f WHERE f.user_id = %(user)s AND f.type = ANY(%(factors)s))
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What every request of a staff person depends on."""

    own: list[str]
    of_roles: list[list[str]]
    lapsed: bool
    has_factor: bool

    def allows(self, ip: str) -> bool:
        """The person's own list and that of each of their roles all have to hold the address; an empty list holds all.

        A role adds powers, so it never opens a network that another role keeps closed.
        """
        return all(not networks or contains(networks, ip) for networks in (self.own, *self.of_roles))


def parse(text: str, *, field: str = "allowed_ips") -> list[str]:
    """Networks from text, one per line or with commas, in CIDR form. Invalid names the one that is none."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            found.append(str(ipaddress.ip_network(word, strict=False)))
        except ValueError as error:
            raise Invalid(_("“%(text)s” is not a network.") % {"text": word}, field=field) from error
    return sorted(set(found))


def contains(networks: Iterable[str], ip: str) -> bool:
    """Whether the address is in one of the networks. An address that cannot be read is in none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    # An IPv4 visitor may arrive in its IPv6 form.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)


def read(user: User) -> Standing:
    """The person's own networks, those of each role, whether a grant has run out, and whether a factor is enrolled."""
    with connection.cursor() as cursor:
        cursor.execute(READ, {"user": user.pk, "now": clock.now(), "factors": [str(kind) for kind in FACTORS]})
        own, of_roles, lapsed, has_factor = cursor.fetchone()
    return Standing(own or [], json.loads(of_roles or "[]"), lapsed, has_factor)


def may_come_from(user: User, ip: str) -> bool:
    """Whether this staff person may come from this address."""
    return read(user).allows(ip)
