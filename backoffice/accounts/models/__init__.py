"""People, what they may do, and the trace of how they come in."""

from backoffice.accounts.models.people import Area, User, UserManager
from backoffice.accounts.models.security import AttemptCount, FactorReset, KnownDevice, SecurityEvent
from backoffice.accounts.models.staff import RoleAccess, RoleGrant, StaffInvitation, StaffProfile
from backoffice.accounts.models.suspension import Suspension

__all__ = [
    "Area",
    "AttemptCount",
    "FactorReset",
    "KnownDevice",
    "RoleAccess",
    "RoleGrant",
    "SecurityEvent",
    "StaffInvitation",
    "StaffProfile",
    "Suspension",
    "User",
    "UserManager",
]
