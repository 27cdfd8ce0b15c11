"""What well-known tools call things: presets, as data.

Where several names are listed the first that is there counts; a name that ends in ``?`` may be
absent (see :mod:`cxkit.model.nested`). Each preset states its traps, which no mapping takes away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

__all__ = ["SCHEMAS", "Schema"]


@attrs.frozen
class Schema:
    """What a tool calls the things that journeys are made of.

    Attributes:
        name: What it is called here.
        title: What it is.
        fields: What cxkit calls a thing -> the column or dotted path of the tool. ``customer``,
            ``time``, ``event``, ``channel`` and ``value`` are roles; the others further columns.
        options: Further arguments of :func:`cxkit.ingest`, such as the unit of times.
        traps: What a reader of such data must know.
        rows_in: The column that holds a list of events per row, to be unfolded first, or nothing.

    Example:
        >>> SCHEMAS["ga4"].options
        {'time_unit': 'us'}
        >>> len(SCHEMAS["segment"].traps)
        4
    """

    name: str
    title: str
    fields: Mapping[str, str]
    options: Mapping[str, str] = attrs.field(factory=dict)
    traps: tuple[str, ...] = ()
    rows_in: str = ""


_SEGMENT: Final = Schema(
    "segment",
    "Segment and RudderStack, tracked calls as JSON lines or warehouse tables",
    {
        "customer": "userId|user_id",
        "anonymous_id": "anonymousId|anonymous_id?",
        "time": "timestamp",
        "event": "event|type",
        "channel": "context.campaign.medium|context_campaign_medium?",
        "value": "properties.revenue|properties.value|revenue|value?",
        "currency": "properties.currency|currency?",
        "session_id": "context.sessionId|context_session_id?",
        "account_id": "context.groupId|context_group_id?",
        "campaign": "context.campaign.name|context_campaign_name?",
        "source": "context.campaign.source|context_campaign_source?",
        "touchpoint_id": "messageId|id?",
    },
    traps=(
        (
            "the field `channel` is the sending library (web, mobile, server), not the channel of "
            "the customer: the medium of the campaign is read instead"
        ),
        "`timestamp` is corrected for the clock of the device; originalTimestamp is not",
        "`value` may be points or money; revenue comes first where it is there",
        "calls that were sent again have one messageId: carry touchpoint_id to see them",
    ),
)
_GA4: Final = Schema(
    "ga4",
    "Google Analytics 4, export to BigQuery, as Parquet, Arrow or JSON lines",
    {
        "customer": "user_id",
        "anonymous_id": "user_pseudo_id?",
        "time": "event_timestamp",
        "event": "event_name",
        "channel": "collected_traffic_source.manual_medium|traffic_source.medium?",
        "value": "event_value_in_usd|event_params.value?",
        "currency": "event_params.currency?",
        "session_id": "event_params.ga_session_id?",
        "campaign": "collected_traffic_source.manual_campaign_name|traffic_source.name?",
        "source": "collected_traffic_source.manual_source|traffic_source.source?",
        "environment": "platform?",
        "device": "device.category?",
        "location": "geo.country?",
    },
    options={"time_unit": "us"},
    traps=(
        "event_timestamp counts microseconds, UTC; event_date is a day in the zone of the property",
        "event_params is a list of keys and values, each in a field of its own kind",
        "ga_session_id is the second at which a session began: it is unique only with the user",
        (
            "traffic_source is where the user first came from, not this event: it is read only "
            "where collected_traffic_source is missing"
        ),
        "user_id is missing until a person signs in: read with anonymous=True, or stitch both ids",
        "event_params.value is in the currency of the event; event_value_in_usd comes first",
    ),
)
_XDM: Final = Schema(
    "xdm",
    "Adobe XDM ExperienceEvent, as JSON lines or Parquet",
    {
        "customer": "identityMap.@primary|xdm:identityMap.@primary",
        "anonymous_id": "identityMap.ECID.0.id|xdm:identityMap.ECID.0.id?",
        "time": "timestamp|xdm:timestamp",
        "event": "eventType|xdm:eventType",
        "channel": "channel.@type|channel._type|xdm:channel.@type?",
        "value": "commerce.order.priceTotal|xdm:commerce.xdm:order.xdm:priceTotal?",
        "currency": "commerce.order.currencyCode|xdm:commerce.xdm:order.xdm:currencyCode?",
        "campaign": "marketing.campaignName|marketing.trackingCode|"
        "xdm:marketing.xdm:campaignName|xdm:marketing.xdm:trackingCode?",
        "initiator": "producedBy|xdm:producedBy?",
        "location": "placeContext.geo.countryCode?",
        "touchpoint_id": "_id|@id?",
    },
    traps=(
        "keys carry the prefix xdm: in schemas and none in payloads: both are read",
        (
            "the primary identity of an event may be the device (ECID), not the person: pass "
            "customer='identityMap.Email.0.id' to read one namespace only"
        ),
        "one person has many identities over time: stitch them before journeys mean anything",
    ),
)
_SNOWPLOW: Final = Schema(
    "snowplow",
    "Snowplow, the table of enriched events (atomic.events)",
    {
        "customer": "user_id",
        "anonymous_id": "domain_userid|network_userid?",
        "time": "derived_tstamp",
        "event": "event_name|event",
        "channel": "mkt_medium?",
        "value": "tr_total?",
        "currency": "tr_currency?",
        "session_id": "domain_sessionid?",
        "campaign": "mkt_campaign?",
        "source": "mkt_source?",
        "environment": "platform?",
        "device": "dvce_type?",
        "touchpoint_id": "event_id?",
    },
    options={"tz": "UTC"},
    traps=(
        (
            "there are five times; derived_tstamp is corrected for the clock of the device, and is "
            "UTC without saying so"
        ),
        (
            "user_id is what the tracker was told and mostly missing: read with anonymous=True, or "
            "stitch both ids"
        ),
        "two events can have one event_id: the collector may store an event twice",
    ),
)
_XCONNECT: Final = Schema(
    "xconnect",
    "Sitecore xConnect, one interaction per row with its Events",
    {
        "customer": "Contact.Id|ContactId",
        "time": "Events.Timestamp",
        "event": "Events.DefinitionId",
        "channel": "ChannelId",
        "value": "Events.MonetaryValue?",
        "currency": "Events.CurrencyCode?",
        "engagement_value": "Events.EngagementValue?",
        "session_id": "Id|InteractionId?",
        "initiator": "Initiator?",
        "campaign": "CampaignId?",
        "device": "UserAgent?",
        "touchpoint_id": "Events.Id?",
    },
    traps=(
        (
            "an interaction is a visit with a list of events: it is unfolded to one row per event, "
            "and one without events, which xConnect forbids, is rejected"
        ),
        "definitions and channels are identifiers: their names stand in the content system",
        "xConnect does not check that the class of an event fits its definition",
        "MonetaryValue is money and of outcomes only; EngagementValue is points",
    ),
    rows_in="Events",
)
_XES: Final = Schema(
    "xes",
    "event logs in XES (IEEE 1849)",
    {
        "customer": "case:concept:name",
        "time": "time:timestamp",
        "event": "concept:name?",
        "value": "cost:total?",
        "currency": "cost:currency?",
        "resource": "org:resource?",
        "account_id": "org:group?",
        "status": "lifecycle:transition?",
        "touchpoint_id": "identity:id?",
    },
    traps=(
        (
            "an activity that is scheduled, started and completed is three events: carry status, "
            "and keep one of them before counting"
        ),
        "a case is a process, not a person: where the log has a customer, pass customer=",
        "times of one file have several offsets, by summer time",
    ),
)
_OCEL: Final = Schema(
    "ocel",
    "logs of objects (OCEL), read by cx.interop.read_ocel(path, object_type)",
    {
        "customer": "ocel:oid",
        "time": "ocel:timestamp",
        "event": "ocel:activity",
        "touchpoint_id": "ocel:eid?",
        "qualifier": "ocel:qualifier?",
    },
    traps=(
        "one event touches many objects: read as journeys of one type it is in several of them",
        "attributes of objects change over time (OCEL 2.0), and are not read",
    ),
)
SCHEMAS: Final[Mapping[str, Schema]] = {
    preset.name: preset for preset in (_SEGMENT, _GA4, _XDM, _SNOWPLOW, _XCONNECT, _XES, _OCEL)
}
"""The presets by name."""
