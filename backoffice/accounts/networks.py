"""Which networks staff may come from: reading lists, and deciding about an address (X-007)."""

import ipaddress
from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.core import clock
from backoffice.core.errors import Invalid

# Everything that every request of staff needs, in one statement.
READ = """
SELECT
  (SELECT p.allowed_ips FROM accounts_staffprofile p WHERE p.user_id = %(user)s),
  ARRAY(SELECT DISTINCT unnest(a.allowed_ips) FROM accounts_roleaccess a
        JOIN auth_group g ON g.name = a.role JOIN accounts_user_groups m ON m.group_id = g.id
        WHERE m.user_id = %(user)s),
  EXISTS(SELECT 1 FROM accounts_rolegrant r
         WHERE r.user_id = %(user)s AND r.ended_at IS NULL AND r.expires_at <= %(now)s)
"""


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


def allows(own: Iterable[str], of_roles: Iterable[str], ip: str) -> bool:
    """A person's own list and the list of their roles both have to hold the address; an empty list holds all."""
    return all(not networks or contains(networks, ip) for networks in (list(own), list(of_roles)))


def read(user: User) -> tuple[list[str], list[str], bool]:
    """The person's own networks, those of their roles, and whether one of their grants has run out."""
    with connection.cursor() as cursor:
        cursor.execute(READ, {"user": user.pk, "now": clock.now()})
        own, of_roles, lapsed = cursor.fetchone()
    return own or [], of_roles or [], lapsed


def may_come_from(user: User, ip: str) -> bool:
    """Whether this staff person may come from this address."""
    own, of_roles, _lapsed = read(user)
    return allows(own, of_roles, ip)
