"""Meta's words in the `pricing` object of a status, and which of them mean that nothing is charged.

Meta charges a message when it is delivered. New words come without notice, so every function takes any
text. Source: Meta, "Pricing on the WhatsApp Business Platform" and webhook reference `statuses`.
"""

from collections.abc import Mapping
from types import MappingProxyType

REGULAR = "regular"
FREE_CUSTOMER_SERVICE = "free_customer_service"
FREE_ENTRY_POINT = "free_entry_point"
FREE_GROUP_CUSTOMER_SERVICE = "free_group_customer_service"
PAID_EXEMPT = "paid_exempt"  # a subtype: would be paid, but this business is exempt

AUTHENTICATION = "authentication"
AUTHENTICATION_INTERNATIONAL = "authentication-international"  # with a hyphen in pricing objects
MARKETING = "marketing"
MARKETING_LITE = "marketing_lite"
REFERRAL_CONVERSION = "referral_conversion"
SERVICE = "service"
UTILITY = "utility"
GROUP_MARKETING = "group_marketing"
GROUP_SERVICE = "group_service"
GROUP_UTILITY = "group_utility"
GENERAL_PURPOSE_AI = "general_purpose_ai"

TYPES: Mapping[str, str] = MappingProxyType(
    {
        REGULAR: "charged at the rate of its category and the recipient's market",
        FREE_CUSTOMER_SERVICE: "free, because the person wrote within the last 24 hours",
        FREE_ENTRY_POINT: "free, because the person came through an advertisement or a Page button",
        FREE_GROUP_CUSTOMER_SERVICE: "free, because somebody of the group wrote within the last 24 hours",
    }
)

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        AUTHENTICATION: "a one-time code, at the domestic rate",
        AUTHENTICATION_INTERNATIONAL: "a one-time code to another country than the business's own",
        MARKETING: "a marketing template",
        MARKETING_LITE: "a marketing template through the Marketing Messages API",
        REFERRAL_CONVERSION: "a message to a person who came through an advertisement or a Page button",
        SERVICE: "a message that is no template, within 24 hours after the person wrote",
        UTILITY: "a template about an order, an account or the like",
        GROUP_MARKETING: "a marketing template to a group",
        GROUP_SERVICE: "a message that is no template, to a group",
        GROUP_UTILITY: "a utility template to a group",
        GENERAL_PURPOSE_AI: "a message by a provider of general-purpose AI",
    }
)


def is_free(pricing_type: str | None, subtype: str | None) -> bool:
    """Whether Meta said that this message costs nothing. Nothing said, or an unknown word: False."""
    return (pricing_type or "").startswith("free_") or subtype == PAID_EXEMPT
